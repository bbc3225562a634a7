// Crashes: two numbers are not JSON, so JSON.parse throws.
const [a, b] = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(a + b);
