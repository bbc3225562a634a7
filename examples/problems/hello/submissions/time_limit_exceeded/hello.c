/* Too slow: never gets to the greeting. */
#include <stdio.h>

int main(void) {
  for (volatile int busy = 1; busy;) {
  }
  puts("Hello World!");
  return 0;
}
