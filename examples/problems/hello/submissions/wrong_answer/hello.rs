// Wrong: greets nobody.
fn main() {
    println!("Hello!");
}
