// Crashes: writes beyond the end of the array.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    int n = new Scanner(System.in).nextInt();
    if ((long) n * (n + 1) / 2 % 2 != 0) {
      System.out.println("impossible");
      return;
    }
    boolean[] left = new boolean[n + 1];
    for (int i = n + 1; i > 0; i -= 2) left[i] = true;
    for (boolean side : new boolean[] {true, false}) {
      StringBuilder line = new StringBuilder();
      for (int i = 1; i <= n; i++) {
        if (left[i] == side) line.append(i).append(' ');
      }
      System.out.println(line);
    }
  }
}
