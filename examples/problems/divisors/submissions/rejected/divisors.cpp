// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: the header's name is misspelt.
#include <iostrem>

int main() {
  long long n, count = 0;
  std::cin >> n;
  for (long long d = 1; d * d <= n; d++) {
    if (n % d == 0) count += 2;
  }
  std::cout << count << '\n';
}
