/* Wrong: keeps 32 bits of the sum. */
#include <stdint.h>
#include <stdio.h>

int main(void) {
  long long a, b;
  scanf("%lld %lld", &a, &b);
  printf("%d\n", (int32_t)(a + b));
  return 0;
}
