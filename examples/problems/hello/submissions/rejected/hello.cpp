// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a quote is missing.
#include <iostream>

int main() {
  std::cout << "Hello World!\n;
}
