// Crashes: an exception that nobody catches.
public class Main {
  public static void main(String[] args) {
    System.out.println("Hello World!");
    throw new IllegalStateException("no world to greet");
  }
}
