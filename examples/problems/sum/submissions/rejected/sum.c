/* @EXPECTED_RESULTS@: COMPILER-ERROR */
/* Does not compile: b is never declared. */
#include <stdio.h>

int main(void) {
  long long a;
  scanf("%lld %lld", &a, &b);
  printf("%lld\n", a + b);
  return 0;
}
