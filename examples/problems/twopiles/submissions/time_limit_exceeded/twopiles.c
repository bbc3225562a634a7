/* Too slow: counts through all subsets, like a binary counter, until one has the right weight. */
#include <stdio.h>

static int left[20001]; /* 1: stone i is on the left pile */

int main(void) {
  long long n;
  scanf("%lld", &n);
  if (n * (n + 1) / 2 % 2 != 0) {
    puts("impossible");
    return 0;
  }
  long long rest = n * (n + 1) / 4;
  while (rest != 0) {
    int i = 1;
    for (; left[i]; i++) {
      left[i] = 0;
      rest += i;
    }
    left[i] = 1;
    rest -= i;
  }
  for (int side = 1; side >= 0; side--) {
    for (int i = 1; i <= n; i++) {
      if (left[i] == side) printf("%d ", i);
    }
    puts("");
  }
  return 0;
}
