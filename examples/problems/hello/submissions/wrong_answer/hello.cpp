// Wrong: greets nobody.
#include <iostream>

int main() {
  std::cout << "Hello!\n";
}
