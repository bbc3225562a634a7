// Crashes: starts at 0, and nothing can be divided by that.
use std::io;

fn main() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let n: u64 = line.trim().parse().unwrap();
    let mut count = 0;
    let mut d = 0;
    while d * d <= n {
        if n % d == 0 {
            count += if d * d == n { 1 } else { 2 };
        }
        d += 1;
    }
    println!("{count}");
}
