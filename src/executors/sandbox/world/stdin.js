import { Buffer } from "./buffer.js";
import { Emitter } from "./emitter.js";
import { later } from "./eventloop.js";
import { guarded, host } from "./host.js";
import { isUtf8 } from "./utf8.js";

export let inputTaken = false;
export const inputText = () => {
  inputTaken = true;
  return host.text();
};
export const inputBytes = () => {
  inputTaken = true;
  return new Buffer(host.bytes());
};

class Stdin extends Emitter {
  fd = 0;
  isTTY = undefined;
  readable = true;
  #encoding;
  #started = false;
  #paused = false;
  #unread;
  #ended = false;
  setEncoding(encoding = "utf8") {
    if (!isUtf8(encoding) && !/^ascii$/i.test(encoding)) host.unsupported(`setEncoding(${encoding})`);
    this.#encoding = "utf8";
    return this.self;
  }
  #take() {
    // What one reader took is gone for the next, as with a pipe.
    if (inputTaken) return null;
    const chunk = this.#encoding === undefined ? inputBytes() : inputText();
    return chunk.length === 0 ? null : chunk;
  }
  listens(event) {
    if ((event === "data" || event === "readable" || event === "end") && !this.#started) {
      this.#started = event !== "end";
      if (this.#started) later(() => this.#flow());
    }
  }
  #flow() {
    if (this.#paused || this.#ended) return;
    if (this.listenerCount("readable") > 0) {
      this.#unread = this.#take();
      if (this.#unread !== null) this.emit("readable");
      // Reading it to the end brings a last readable event with nothing to read, then the end.
      later(() => {
        this.emit("readable");
        this.#end();
      });
      return;
    }
    const chunk = this.#take();
    if (chunk !== null) this.emit("data", chunk);
    later(() => this.#end());
  }
  #end() {
    if (this.#ended) return;
    this.#ended = true;
    this.emit("end");
    later(() => this.emit("close"));
  }
  read(size) {
    if (size !== undefined) return host.unsupported("stdin.read(size)");
    const chunk = this.#unread ?? null;
    this.#unread = null;
    return chunk;
  }
  resume() {
    this.#paused = false;
    if (!this.#started) {
      this.#started = true;
      later(() => this.#flow());
    } else if (!this.#ended) later(() => this.#flow());
    return this.self;
  }
  pause() {
    this.#paused = true;
    return this.self;
  }
  ref() {
    return this.self;
  }
  unref() {
    return this.self;
  }
  destroy() {
    this.#ended = true;
    return this.self;
  }
  async *[Symbol.asyncIterator]() {
    await new Promise((resolve) => later(resolve));
    const chunk = this.#take();
    if (chunk !== null) yield chunk;
    this.#ended = true;
  }
}

export const stdin = guarded("process.stdin", new Stdin());
