// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a semicolon is missing.
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
  long long rest = n * (n + 1) / 4
  for (int i = n; i > 0; i--) {
    if (i <= rest) {
      left[i] = 1;
      rest -= i;
    }
  }
  for (int side : {1, 0}) {
    for (int i = 1; i <= n; i++) {
      if (left[i] == side) std::cout << i << ' ';
    }
    std::cout << '\n';
  }
}
