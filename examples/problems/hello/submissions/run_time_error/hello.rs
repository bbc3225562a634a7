// Crashes: the exit code says that something went wrong, whatever was printed.
fn main() {
    println!("Hello World!");
    std::process::exit(1);
}
