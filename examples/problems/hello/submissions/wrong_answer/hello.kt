fun main() = println("Goodbye World!")
