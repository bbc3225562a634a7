// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: half is not mutable.
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
    let half = n * (n + 1) / 4;
    for i in (1..=n).rev() {
        if i <= half {
            left[i] = true;
            half -= i;
        }
    }
    for side in [true, false] {
        let pile: Vec<String> = (1..=n).filter(|&i| left[i] == side).map(|i| i.to_string()).collect();
        println!("{}", pile.join(" "));
    }
}
