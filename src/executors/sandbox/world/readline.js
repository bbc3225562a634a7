import { Emitter } from "./emitter.js";
import { later } from "./eventloop.js";
import { guarded, host } from "./host.js";
import { inputTaken, inputText, stdin } from "./stdin.js";

const splitLines = (text) => {
  const lines = text.split(/\r\n|\n|\r/);
  if (lines.at(-1) === "") lines.pop();
  return lines;
};

export class Interface extends Emitter {
  terminal = false;
  line = "";
  #lines;
  #started = false;
  #paused = false;
  #closed = false;
  #questions = [];
  #output;
  constructor(options) {
    super();
    this.#output = options.output;
    if (options.input !== stdin) host.unsupported("readline of another stream");
  }
  /** As Node does, a line goes nowhere when nobody listens; but Node reads only after the program's first turn. */
  start() {
    if (this.#started) return;
    this.#started = true;
    later(() => this.#pump());
  }
  #load() {
    this.#lines ??= inputTaken ? [] : splitLines(inputText());
    return this.#lines;
  }
  #pump() {
    const lines = this.#load();
    while (lines.length > 0 && !this.#paused && !this.#closed) {
      const line = lines.shift();
      const question = this.#questions.shift();
      if (question === undefined) this.emit("line", line);
      else question(line);
      // A question asked by a promise's continuation must come before the next line is given away.
      if (this.asks) {
        later(() => this.#pump());
        return;
      }
    }
    if (lines.length === 0 && !this.#paused) this.close();
  }
  question(query, options, callback) {
    const answer = typeof options === "function" ? options : callback;
    if (this.#closed) host.unsupported("question after close");
    this.asks = true;
    if (this.#output !== undefined) this.#output.write(String(query));
    this.#questions.push(answer);
    if (this.#started && !this.#paused) later(() => this.#pump());
  }
  setPrompt(text) {
    this.prompting = text;
  }
  prompt() {
    if (this.#output !== undefined) this.#output.write(this.prompting ?? "> ");
  }
  pause() {
    this.#paused = true;
    return this.self;
  }
  resume() {
    if (this.#paused) {
      this.#paused = false;
      later(() => this.#pump());
    }
    return this.self;
  }
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.emit("close");
  }
  write() {
    return host.unsupported("readline write");
  }
  async *[Symbol.asyncIterator]() {
    this.#paused = true;
    await new Promise((resolve) => later(resolve));
    const lines = this.#load();
    while (lines.length > 0 && !this.#closed) yield lines.shift();
    this.close();
  }
}
export const createInterface = (input, output) => {
  const options = input === stdin ? { input, output } : (input ?? {});
  const made = new Interface(options);
  const proxy = guarded("readline.Interface", made);
  made.start();
  return proxy;
};
