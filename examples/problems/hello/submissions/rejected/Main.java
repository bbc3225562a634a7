// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a quote is missing.
public class Main {
  public static void main(String[] args) {
    System.out.println("Hello World!);
  }
}
