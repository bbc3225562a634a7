// What a JavaScript program finds inside its isolate: Node's ways in and out that judge programs use, and nothing
// else. Whatever is asked for and not here ends the isolate with `unsupported`, and the same program is run by a real
// Node instead: so nothing here needs to be an approximation. These files run in the isolate as one script, made by
// isolateworld.ts, before the program does.

import { next, runTicks, step } from "./eventloop.js";
import { define } from "./globals.js";
import { require } from "./modules.js";
import { flush } from "./output.js";
import { finish } from "./process.js";

// The child takes these before the program can.
define("__step", step);
define("__next", next);
define("__finish", finish);
define("__start", (program) => {
  const module = { exports: {}, children: [], filename: "/box/main.js", id: ".", loaded: false };
  Object.defineProperty(require, "main", { value: module });
  Reflect.deleteProperty(globalThis, "__start");
  program.call(module.exports, module.exports, require, module, "/box/main.js", "/box");
  runTicks();
  flush();
});
