/* Crashes: writes through a pointer to nothing. */
#include <stdio.h>

static int left[20001]; /* 1: stone i is on the left pile */

int main(void) {
  long long n;
  scanf("%lld", &n);
  if (n * (n + 1) / 2 % 2 != 0) {
    puts("impossible");
    return 0;
  }
  int *volatile heaviest = NULL; /* volatile: or the compiler would see through it */
  *heaviest = (int)n;
  left[*heaviest] = 1;
  for (int side = 1; side >= 0; side--) {
    for (int i = 1; i <= n; i++) {
      if (left[i] == side) printf("%d ", i);
    }
    puts("");
  }
  return 0;
}
