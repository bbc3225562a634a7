import { readSync, writeSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileFunction } from "node:vm";
import ivm from "isolated-vm";
import { worldScript } from "./isolateworld.ts";

/**
 * Runs inside the native sandbox, as the slot's uid, and gives each test an isolate of its own. It is trusted with
 * nothing: the parent holds all limits and takes what comes from here as the program's own word. It sees this folder
 * only, and must import nothing else of ours.
 *
 * Parent to child: one JSON line {source, input, checkOnly} with the sizes in bytes, then those bytes.
 * Child to parent: frames of one byte type, four bytes length (little endian), then that many bytes. "R": ready for a
 * test; "1", "2": output; "X": the end, as JSON.
 */

type End =
  | { readonly type: "exited"; readonly code: number }
  /** The program asked for something the isolate does not offer. */
  | { readonly type: "unsupported"; readonly what: string };

const worldText = worldScript(fileURLToPath(new URL("world", import.meta.url)));
/** The control group holds the real limit; this one only must not come before it. MiB. */
const ISOLATE_MIB = 8192;
const sleepCell = new Int32Array(new SharedArrayBuffer(4));

function send(type: string, body: string | Uint8Array): void {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeUInt32LE(bytes.length, 1);
  for (const part of [head, bytes]) {
    for (let at = 0; at < part.length;) at += writeSync(1, part, at);
  }
}

function readExactly(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length;) {
    const got = readSync(0, bytes, at, length - at, null);
    if (got === 0) process.exit(0);
    at += got;
  }
  return bytes;
}

function readLine(): string {
  const line: number[] = [];
  for (;;) {
    const [byte = 10] = readExactly(1);
    if (byte === 10) return Buffer.from(line).toString();
    line.push(byte);
  }
}

/** Compiled code of the world, so that each isolate need not compile it again. */
let cachedWorld: ivm.ExternalCopy<ArrayBuffer> | undefined;

interface World {
  readonly isolate: ivm.Isolate;
  readonly context: ivm.Context;
  /** Set while the program runs. */
  input: Buffer;
  end: End | undefined;
}

/** An isolate with everything in it but the program. */
function prepareWorld(): World {
  const isolate = new ivm.Isolate({ memoryLimit: ISOLATE_MIB });
  const context = isolate.createContextSync();
  const world: World = { isolate, context, input: Buffer.alloc(0), end: undefined };
  const stop = (end: End): void => {
    world.end ??= end;
    isolate.dispose();
  };
  const hooks = {
    write: (fd: number, text: string) => send(fd === 2 ? "2" : "1", text),
    text: () => world.input.toString("utf8"),
    bytes: () => new ivm.ExternalCopy(new Uint8Array(world.input).buffer).copyInto({ release: true }),
    now: () => performance.now(),
    exit: (code: number) => stop({ type: "exited", code: code & 255 }),
    unsupported: (what: string) => stop({ type: "unsupported", what: what.slice(0, 200) }),
  };
  const host = isolate
    .compileScriptSync("globalThis.__host = {}; globalThis.__host")
    .runSync(context, { reference: true });
  for (const [name, hook] of Object.entries(hooks)) host.setSync(name, new ivm.Callback(hook));
  host.release();
  if (cachedWorld === undefined) {
    const options: ivm.CachedDataOptions = { produceCachedData: true };
    const script: ivm.Script & { readonly cachedData?: ivm.ExternalCopy<ArrayBuffer> } =
      isolate.compileScriptSync(worldText, options);
    cachedWorld = script.cachedData;
    script.runSync(context);
  } else isolate.compileScriptSync(worldText, { cachedData: cachedWorld }).runSync(context);
  return world;
}

const codeOf = (code: unknown): End => ({
  type: "exited",
  code: typeof code === "number" ? code & 255 : 0,
});

function runProgram(world: World, source: string, input: Buffer): End {
  const { isolate, context } = world;
  world.input = input;
  // Imports have no other form that the compiler would refuse.
  if (/\bimport\s*\(/.test(source)) return { type: "unsupported", what: "import()" };
  const take = (name: string) => {
    const taken = context.global.getSync(name, { reference: true });
    context.global.deleteSync(name);
    return taken;
  };
  const [step, next, finish] = [take("__step"), take("__next"), take("__finish")];
  try {
    const wrapped = `__start(function (exports, require, module, __filename, __dirname) {${source.replace(/^#!/, "//")}\n})`;
    let script;
    try {
      script = isolate.compileScriptSync(wrapped, { filename: "file:///box/main.js" });
    } catch (error) {
      // It has passed the syntax check: then it is a module, or awaits at its top level.
      return { type: "unsupported", what: String(error).slice(0, 200) };
    }
    script.runSync(context);
    for (;;) {
      const waitMs: unknown = next.applySync(undefined, []);
      if (typeof waitMs !== "number" || waitMs < 0) break;
      if (waitMs > 0) Atomics.wait(sleepCell, 0, 0, waitMs);
      step.applySync(undefined, []);
    }
    const code: unknown = finish.applySync(undefined, [false]);
    return world.end ?? codeOf(code);
  } catch (error) {
    if (world.end !== undefined) return world.end;
    send("2", errorText(error));
    try {
      return codeOf(finish.applySync(undefined, [true]));
    } catch {
      return world.end ?? codeOf(1);
    }
  }
}

/** As Node's own loader compiles a CommonJS script; nothing of it runs. */
function checkSyntax(source: string): End {
  try {
    compileFunction(source, ["exports", "require", "module", "__filename", "__dirname"]);
    return { type: "exited", code: 0 };
  } catch (error) {
    return { type: "unsupported", what: String(error).slice(0, 200) };
  }
}

/** The next program to be run. Checks asked for before it are answered: they leave the world as it is. */
function nextProgram(): { readonly source: string; readonly input: Buffer } {
  for (;;) {
    send("R", "");
    const head: unknown = JSON.parse(readLine());
    if (typeof head !== "object" || head === null || !("source" in head) || !("input" in head))
      process.exit(1);
    const source = readExactly(Number(head.source)).toString("utf8");
    const input = readExactly(Number(head.input));
    if (!("checkOnly" in head && head.checkOnly === true)) return { source, input };
    send("X", JSON.stringify(checkSyntax(source)));
  }
}

function errorText(error: unknown): string {
  try {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    // What is below the program's own frames is ours.
    return `${text.replace(/\n[^\n]*<isolated-vm[^]*$/, "")}\n`;
  } catch {
    return "Uncaught error\n";
  }
}

for (;;) {
  const world = prepareWorld();
  const { source, input } = nextProgram();
  const end = runProgram(world, source, input);
  send("X", JSON.stringify(end));
  if (!world.isolate.isDisposed) world.isolate.dispose();
}
