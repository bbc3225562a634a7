// Too slow: counts up to the sum one by one.
import java.util.Scanner;

public class Main {
  static volatile long sum; // volatile: or the compiler would see through it

  public static void main(String[] args) {
    Scanner in = new Scanner(System.in);
    sum = in.nextLong();
    long b = in.nextLong();
    for (long i = 0; i < b; i++) sum = sum + 1;
    for (long i = 0; i > b; i--) sum = sum - 1;
    System.out.println(sum);
  }
}
