class Hello {
    static void Main() {
        System.Console.WriteLine("Goodbye World!");
    }
}
