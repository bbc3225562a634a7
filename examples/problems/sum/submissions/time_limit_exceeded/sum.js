// Too slow: counts up to the sum one by one.
let [a, b] = require("fs").readFileSync(0, "utf8").split(" ").map(Number);
for (; b > 0; b--) a++;
for (; b < 0; b++) a--;
console.log(a);
