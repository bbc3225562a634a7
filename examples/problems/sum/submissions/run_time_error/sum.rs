// Crashes: unwrap panics on numbers beyond an i32.
use std::io;

fn main() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let sum: i32 = line.split_whitespace().map(|n| n.parse::<i32>().unwrap()).sum();
    println!("{sum}");
}
