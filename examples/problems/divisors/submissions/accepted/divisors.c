/* Divisors come in pairs d and n / d, so looking up to the root is enough. */
#include <stdio.h>

int main(void) {
  long long n, count = 0;
  scanf("%lld", &n);
  for (long long d = 1; d * d <= n; d++) {
    if (n % d == 0) count += d * d == n ? 1 : 2;
  }
  printf("%lld\n", count);
  return 0;
}
