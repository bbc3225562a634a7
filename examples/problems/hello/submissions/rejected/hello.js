// @EXPECTED_RESULTS@: COMPILER-ERROR
// Does not compile: a quote is missing.
console.log("Hello World!);
