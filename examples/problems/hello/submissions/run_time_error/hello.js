// Crashes: an exception that nobody catches.
console.log("Hello World!");
throw new Error("no world to greet");
