// Too slow: counts up to the sum one by one.
#include <iostream>

int main() {
  long long a, b;
  std::cin >> a >> b;
  volatile long long sum = a;  // volatile: or the compiler would see through it
  for (long long i = 0; i < b; i++) sum = sum + 1;
  for (long long i = 0; i > b; i--) sum = sum - 1;
  std::cout << sum << '\n';
}
