/* Too slow: tries every number up to n. */
#include <stdio.h>

int main(void) {
  long long n, count = 0;
  scanf("%lld", &n);
  for (long long d = 1; d <= n; d++) {
    if (n % d == 0) count += 1;
  }
  printf("%lld\n", count);
  return 0;
}
