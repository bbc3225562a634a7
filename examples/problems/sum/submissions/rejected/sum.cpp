// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a string is no number.
#include <iostream>
#include <string>

int main() {
  std::string a, b;
  std::cin >> a >> b;
  long long sum = a + b;
  std::cout << sum << '\n';
}
