import { host, offer } from "./host.js";
import { write } from "./output.js";

// Node prints objects in its own way: a program that needs that gets the real one.
const format = (values) => {
  const parts = [];
  for (const [index, value] of values.entries()) {
    if (typeof value === "string") {
      if (index === 0 && values.length > 1 && value.includes("%")) return host.unsupported("format");
      parts.push(value);
    } else if (typeof value === "bigint") parts.push(`${value}n`);
    else if (typeof value === "number") parts.push(Object.is(value, -0) ? "-0" : String(value));
    else if (typeof value === "boolean" || value === undefined || value === null) parts.push(String(value));
    else return host.unsupported("printing of an object");
  }
  return `${parts.join(" ")}\n`;
};
const printTo =
  (fd) =>
  (...values) =>
    void write(fd, format(values));
export const console = offer("console", {
  log: printTo(1),
  info: printTo(1),
  debug: printTo(1),
  error: printTo(2),
  warn: printTo(2),
  assert: (value, ...values) => {
    if (!value) write(2, values.length === 0 ? "Assertion failed\n" : `Assertion failed: ${format(values)}`);
  },
});
