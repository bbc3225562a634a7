// Wrong: odd stones left, even stones right, and the piles differ.
const n = Number(require("fs").readFileSync(0, "utf8"));
if (((n * (n + 1)) / 2) % 2 !== 0) {
  console.log("impossible");
} else {
  const left = new Array(n + 1).fill(false);
  for (let i = 1; i <= n; i += 2) left[i] = true;
  for (const side of [true, false]) {
    const pile = [];
    for (let i = 1; i <= n; i++) if (left[i] === side) pile.push(i);
    console.log(pile.join(" "));
  }
}
