// Crashes: writes beyond the end of the vector.
use std::io;

fn main() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    let n: usize = line.trim().parse().unwrap();
    if n * (n + 1) / 2 % 2 != 0 {
        println!("impossible");
        return;
    }
    let mut left = vec![false; n + 1];
    for i in (1..=n + 1).rev().step_by(2) {
        left[i] = true;
    }
    for side in [true, false] {
        let pile: Vec<String> = (1..=n).filter(|&i| left[i] == side).map(|i| i.to_string()).collect();
        println!("{}", pile.join(" "));
    }
}
