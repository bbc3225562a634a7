/* Crashes: the exit code says that something went wrong, whatever was printed. */
#include <stdio.h>

int main(void) {
  puts("Hello World!");
  return 1;
}
