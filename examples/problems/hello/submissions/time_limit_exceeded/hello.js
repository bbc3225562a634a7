// Too slow: never gets to the greeting.
for (let busy = true; busy; ) {}
console.log("Hello World!");
