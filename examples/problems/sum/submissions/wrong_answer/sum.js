// Wrong: "| 0" keeps 32 bits of the sum.
const [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);
console.log((a + b) | 0);
