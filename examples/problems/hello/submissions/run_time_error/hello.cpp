// Crashes: the exit code says that something went wrong, whatever was printed.
#include <iostream>

int main() {
  std::cout << "Hello World!\n";
  return 1;
}
