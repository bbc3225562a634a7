// Too slow: never gets to the greeting.
public class Main {
  public static void main(String[] args) {
    for (boolean busy = true; busy; ) {}
    System.out.println("Hello World!");
  }
}
