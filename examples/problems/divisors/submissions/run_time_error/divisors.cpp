// Crashes: starts at 0, and nothing can be divided by that.
#include <iostream>

int main() {
  long long n, count = 0;
  std::cin >> n;
  for (long long d = 0; d * d <= n; d++) {
    if (n % d == 0) count += d * d == n ? 1 : 2;
  }
  std::cout << count << '\n';
}
