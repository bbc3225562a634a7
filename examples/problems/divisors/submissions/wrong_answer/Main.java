// Wrong: counts the root of a square twice.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    long n = new Scanner(System.in).nextLong();
    long count = 0;
    for (long d = 1; d * d <= n; d++) {
      if (n % d == 0) count += 2;
    }
    System.out.println(count);
  }
}
