// Divisors come in pairs d and n / d, so looking up to the root is enough.
const n = Number(require("fs").readFileSync(0, "utf8"));
let count = 0;
for (let d = 1; d * d <= n; d++) {
  if (n % d === 0) count += d * d === n ? 1 : 2;
}
console.log(count);
