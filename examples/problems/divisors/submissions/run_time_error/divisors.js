// Crashes: starts at 0, and a BigInt cannot be divided by that.
const n = BigInt(require("fs").readFileSync(0, "utf8"));
let count = 0;
for (let d = 0n; d * d <= n; d++) {
  if (n % d === 0n) count += d * d === n ? 1 : 2;
}
console.log(count);
