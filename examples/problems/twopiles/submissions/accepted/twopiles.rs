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
    // Of four neighbours, the outer two weigh as much as the inner two; 1 + 2 = 3 is left over.
    let mut i = n;
    while i > 3 {
        left[i] = true;
        left[i - 3] = true;
        i -= 4;
    }
    if i == 3 {
        left[3] = true;
    }
    for side in [true, false] {
        let pile: Vec<String> = (1..=n).filter(|&i| left[i] == side).map(|i| i.to_string()).collect();
        println!("{}", pile.join(" "));
    }
}
