// Too slow: counts through all subsets, like a binary counter, until one has the right weight.
const n = Number(require("fs").readFileSync(0, "utf8"));
if (((n * (n + 1)) / 2) % 2 !== 0) {
  console.log("impossible");
} else {
  const left = new Array(n + 1).fill(false);
  let rest = (n * (n + 1)) / 4;
  while (rest !== 0) {
    let i = 1;
    for (; left[i]; i++) {
      left[i] = false;
      rest += i;
    }
    left[i] = true;
    rest -= i;
  }
  for (const side of [true, false]) {
    const pile = [];
    for (let i = 1; i <= n; i++) if (left[i] === side) pile.push(i);
    console.log(pile.join(" "));
  }
}
