// Too slow: tries every number up to n.
#include <iostream>

int main() {
  long long n, count = 0;
  std::cin >> n;
  for (long long d = 1; d <= n; d++) {
    if (n % d == 0) count += 1;
  }
  std::cout << count << '\n';
}
