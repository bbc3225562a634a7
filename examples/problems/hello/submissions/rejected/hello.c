/* @EXPECTED_RESULTS@: COMPILER-ERROR */
/* Does not compile: a quote is missing. */
#include <stdio.h>

int main(void) {
  puts("Hello World!);
  return 0;
}
