// Wrong: odd stones left, even stones right, and the piles differ.
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
  for (int i = 1; i <= n; i += 2) left[i] = 1;
  for (int side : {1, 0}) {
    for (int i = 1; i <= n; i++) {
      if (left[i] == side) std::cout << i << ' ';
    }
    std::cout << '\n';
  }
}
