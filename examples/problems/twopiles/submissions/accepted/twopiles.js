const n = Number(require("fs").readFileSync(0, "utf8"));
if (((n * (n + 1)) / 2) % 2 !== 0) {
  console.log("impossible");
} else {
  const left = new Array(n + 1).fill(false);
  // Of four neighbours, the outer two weigh as much as the inner two; 1 + 2 = 3 is left over.
  for (let i = n; i > 3; i -= 4) left[i] = left[i - 3] = true;
  if (n % 4 === 3) left[3] = true;
  for (const side of [true, false]) {
    const pile = [];
    for (let i = 1; i <= n; i++) if (left[i] === side) pile.push(i);
    console.log(pile.join(" "));
  }
}
