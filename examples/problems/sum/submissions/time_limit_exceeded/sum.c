/* Too slow: counts up to the sum one by one. */
#include <stdio.h>

int main(void) {
  long long a, b;
  scanf("%lld %lld", &a, &b);
  volatile long long sum = a;
  for (long long i = 0; i < b; i++) sum = sum + 1;
  for (long long i = 0; i > b; i--) sum = sum - 1;
  printf("%lld\n", sum);
  return 0;
}
