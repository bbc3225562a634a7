// Divisors come in pairs d and n / d, so looking up to the root is enough.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    long n = new Scanner(System.in).nextLong();
    long count = 0;
    for (long d = 1; d * d <= n; d++) {
      if (n % d == 0) count += d * d == n ? 1 : 2;
    }
    System.out.println(count);
  }
}
