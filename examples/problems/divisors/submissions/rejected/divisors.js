// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: n is declared twice.
const n = Number(require("fs").readFileSync(0, "utf8"));
let n = 0;
for (let d = 1; d * d <= n; d++) {
  if (n % d === 0) count += 2;
}
console.log(count);
