// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a long does not fit into an int without a cast.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    long n = new Scanner(System.in).nextLong();
    int count = n;
    for (long d = 1; d * d <= n; d++) {
      if (n % d == 0) count += 2;
    }
    System.out.println(count);
  }
}
