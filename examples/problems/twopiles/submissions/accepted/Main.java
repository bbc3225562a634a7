// Takes the heaviest stones for the left pile as long as they fit.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    int n = new Scanner(System.in).nextInt();
    if ((long) n * (n + 1) / 2 % 2 != 0) {
      System.out.println("impossible");
      return;
    }
    boolean[] left = new boolean[n + 1];
    long rest = (long) n * (n + 1) / 4;
    for (int i = n; i > 0; i--) {
      if (i <= rest) {
        left[i] = true;
        rest -= i;
      }
    }
    for (boolean side : new boolean[] {true, false}) {
      StringBuilder line = new StringBuilder();
      for (int i = 1; i <= n; i++) {
        if (left[i] == side) line.append(i).append(' ');
      }
      System.out.println(line);
    }
  }
}
