// Too slow: counts through all subsets, like a binary counter, until one has the right weight.
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
  long long rest = n * (n + 1) / 4;
  while (rest != 0) {
    int i = 1;
    for (; left[i]; i++) {
      left[i] = 0;
      rest += i;
    }
    left[i] = 1;
    rest -= i;
  }
  for (int side : {1, 0}) {
    for (int i = 1; i <= n; i++) {
      if (left[i] == side) std::cout << i << ' ';
    }
    std::cout << '\n';
  }
}
