// Crashes: starts at 0, and nothing can be divided by that.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    long n = new Scanner(System.in).nextLong();
    long count = 0;
    for (long d = 0; d * d <= n; d++) {
      if (n % d == 0) count += d * d == n ? 1 : 2;
    }
    System.out.println(count);
  }
}
