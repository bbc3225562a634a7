// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: line is borrowed mutably without being mutable.
use std::io;

fn main() {
    let line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let sum: i64 = line.split_whitespace().map(|n| n.parse::<i64>().unwrap()).sum();
    println!("{sum}");
}
