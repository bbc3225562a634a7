// Crashes: .at() throws beyond the end of the vector.
#include <iostream>
#include <vector>

int main() {
  long long n;
  std::cin >> n;
  if (n * (n + 1) / 2 % 2 != 0) {
    std::cout << "impossible\n";
    return 0;
  }
  std::vector<int> left(n + 1, 0);  // 1: stone i is on the left pile
  for (int i = n + 1; i > 0; i -= 2) left.at(i) = 1;
  for (int side : {1, 0}) {
    for (int i = 1; i <= n; i++) {
      if (left[i] == side) std::cout << i << ' ';
    }
    std::cout << '\n';
  }
}
