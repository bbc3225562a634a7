// Crashes: std::stoi throws out_of_range for numbers beyond an int.
#include <iostream>
#include <string>

int main() {
  std::string a, b;
  std::cin >> a >> b;
  std::cout << std::stoi(a) + std::stoi(b) << '\n';
}
