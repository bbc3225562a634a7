/* Wrong: counts the root of a square twice. */
#include <stdio.h>

int main(void) {
  long long n, count = 0;
  scanf("%lld", &n);
  for (long long d = 1; d * d <= n; d++) {
    if (n % d == 0) count += 2;
  }
  printf("%lld\n", count);
  return 0;
}
