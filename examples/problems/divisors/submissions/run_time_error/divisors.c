/* Crashes: starts at 0, and nothing can be divided by that. */
#include <stdio.h>

int main(void) {
  long long n, count = 0;
  scanf("%lld", &n);
  for (long long d = 0; d * d <= n; d++) {
    if (n % d == 0) count += d * d == n ? 1 : 2;
  }
  printf("%lld\n", count);
  return 0;
}
