// Too slow: never gets to the greeting.
#include <iostream>

int main() {
  for (volatile bool busy = true; busy;) {
  }
  std::cout << "Hello World!\n";
}
