/* Crashes: gives up on sums that an int cannot hold. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

int main(void) {
  long long a, b;
  scanf("%lld %lld", &a, &b);
  if (a + b > INT_MAX || a + b < INT_MIN) abort();
  printf("%lld\n", a + b);
  return 0;
}
