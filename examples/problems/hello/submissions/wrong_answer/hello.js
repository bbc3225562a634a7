// Wrong: greets nobody.
console.log("Hello!");
