// Too slow: tries every number up to n.
const n = Number(require("fs").readFileSync(0, "utf8"));
let count = 0;
for (let d = 1; d <= n; d++) {
  if (n % d === 0) count += 1;
}
console.log(count);
