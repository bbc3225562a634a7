const text: string = "Goodbye World!";
console.log(text);
