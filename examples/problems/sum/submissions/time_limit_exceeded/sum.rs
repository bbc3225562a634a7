// Too slow: counts up to the sum one by one.
use std::hint::black_box;
use std::io;

fn main() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let numbers: Vec<i64> = line.split_whitespace().map(|n| n.parse().unwrap()).collect();
    let (mut sum, b) = (numbers[0], numbers[1]);
    for _ in 0..b.abs() {
        sum = black_box(sum + b.signum()); // black_box: or the compiler would see through it
    }
    println!("{sum}");
}
