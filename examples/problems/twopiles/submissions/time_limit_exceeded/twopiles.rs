// Too slow: counts through all subsets, like a binary counter, until one has the right weight.
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
    let mut rest = (n * (n + 1) / 4) as i64;
    while rest != 0 {
        let mut i = 1;
        while left[i] {
            left[i] = false;
            rest += i as i64;
            i += 1;
        }
        left[i] = true;
        rest -= i as i64;
    }
    for side in [true, false] {
        let pile: Vec<String> = (1..=n).filter(|&i| left[i] == side).map(|i| i.to_string()).collect();
        println!("{}", pile.join(" "));
    }
}
