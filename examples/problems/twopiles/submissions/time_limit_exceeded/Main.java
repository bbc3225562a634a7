// Too slow: counts through all subsets, like a binary counter, until one has the right weight.
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
    while (rest != 0) {
      int i = 1;
      for (; left[i]; i++) {
        left[i] = false;
        rest += i;
      }
      left[i] = true;
      rest -= i;
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
