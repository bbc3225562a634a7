// Too slow: never gets to the greeting.
fn main() {
    while std::hint::black_box(true) {}
    println!("Hello World!");
}
