// Wrong: counts the root of a square twice.
const n = Number(require("fs").readFileSync(0, "utf8"));
let count = 0;
for (let d = 1; d * d <= n; d++) {
  if (n % d === 0) count += 2;
}
console.log(count);
