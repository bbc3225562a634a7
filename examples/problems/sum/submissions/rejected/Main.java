// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: Scanner is not imported.
public class Main {
  public static void main(String[] args) {
    Scanner in = new Scanner(System.in);
    System.out.println(in.nextLong() + in.nextLong());
  }
}
