// Wrong: keeps 32 bits of the sum.
import java.util.Scanner;

public class Main {
  public static void main(String[] args) {
    Scanner in = new Scanner(System.in);
    System.out.println((int) (in.nextLong() + in.nextLong()));
  }
}
