/* eslint-disable */
// What a JavaScript program finds inside its isolate: Node's ways in and out that judge programs use, and nothing
// else. Runs in the isolate before the program does. Whatever is asked for and not here ends the isolate with
// `unsupported`, and the same program is run by a real Node instead: so nothing here needs to be an approximation.
(() => {
  "use strict";
  const host = globalThis.__host;
  delete globalThis.__host;

  const offer = (name, members) =>
    new Proxy(members, {
      get(target, key) {
        if (typeof key === "symbol" || key in target || key === "then" || key === "toJSON")
          return target[key];
        return host.unsupported(`${name}.${key}`);
      },
    });

  // --- text and bytes ---------------------------------------------------------------------------------------------
  const decodeUtf8 = (bytes) => {
    let text = "";
    let from = 0;
    while (from < bytes.length) {
      let to = from;
      const end = Math.min(bytes.length, from + 8192);
      while (to < end && bytes[to] < 0x80) to++;
      if (to > from) text += String.fromCharCode.apply(null, bytes.subarray(from, to));
      from = to;
      if (from < end) {
        // One character by the rules of the Encoding Standard: a broken sequence is U+FFFD for its longest valid part.
        const lead = bytes[from++];
        let need = 0;
        let low = 0x80;
        let high = 0xbf;
        let point = 0;
        if (lead >= 0xc2 && lead <= 0xdf) [need, point] = [1, lead & 0x1f];
        else if (lead >= 0xe0 && lead <= 0xef) {
          if (lead === 0xe0) low = 0xa0;
          if (lead === 0xed) high = 0x9f;
          [need, point] = [2, lead & 0xf];
        } else if (lead >= 0xf0 && lead <= 0xf4) {
          if (lead === 0xf0) low = 0x90;
          if (lead === 0xf4) high = 0x8f;
          [need, point] = [3, lead & 0x7];
        } else point = 0xfffd;
        for (; need > 0; need--) {
          const next = from < bytes.length ? bytes[from] : -1;
          if (next < low || next > high) {
            point = 0xfffd;
            break;
          }
          [low, high] = [0x80, 0xbf];
          point = (point << 6) | (next & 0x3f);
          from++;
        }
        text += String.fromCodePoint(point);
      }
    }
    return text;
  };
  const encodeUtf8 = (text) => {
    const bytes = new Uint8Array(text.length * 3);
    let length = 0;
    for (let i = 0; i < text.length; i++) {
      let point = text.codePointAt(i);
      if (point > 0xffff) i++;
      else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
      if (point < 0x80) bytes[length++] = point;
      else if (point < 0x800) {
        bytes[length++] = 0xc0 | (point >> 6);
        bytes[length++] = 0x80 | (point & 0x3f);
      } else if (point < 0x10000) {
        bytes[length++] = 0xe0 | (point >> 12);
        bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[length++] = 0x80 | (point & 0x3f);
      } else {
        bytes[length++] = 0xf0 | (point >> 18);
        bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
        bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
        bytes[length++] = 0x80 | (point & 0x3f);
      }
    }
    return bytes.slice(0, length);
  };
  const isUtf8 = (encoding) =>
    encoding === undefined ||
    encoding === null ||
    /^utf-?8$/i.test(typeof encoding === "string" ? encoding : "?");
  const isByteEncoding = (encoding) => /^(ascii|latin1|binary)$/i.test(encoding);

  class Buffer extends Uint8Array {
    static from(value, encoding) {
      if (typeof value === "string") {
        if (!isUtf8(encoding)) return host.unsupported(`Buffer.from(…, ${encoding})`);
        const bytes = encodeUtf8(value);
        return new Buffer(bytes.buffer, 0, bytes.length);
      }
      if (Array.isArray(value) || value instanceof Uint8Array) return super.from(value);
      return host.unsupported("Buffer.from");
    }
    static alloc(size, fill) {
      return fill === undefined || typeof fill === "number"
        ? new Buffer(size).fill(fill ?? 0)
        : host.unsupported("Buffer.alloc");
    }
    static allocUnsafe(size) {
      return new Buffer(size);
    }
    static isBuffer(value) {
      return value instanceof Buffer;
    }
    static byteLength(value) {
      return typeof value === "string" ? encodeUtf8(value).length : value.byteLength;
    }
    static concat(list) {
      const all = new Buffer(list.reduce((sum, part) => sum + part.length, 0));
      let at = 0;
      for (const part of list) {
        all.set(part, at);
        at += part.length;
      }
      return all;
    }
    toString(encoding, start = 0, end = this.length) {
      const part = start === 0 && end >= this.length ? this : this.subarray(start, end);
      if (isUtf8(encoding)) return decodeUtf8(part);
      if (!isByteEncoding(encoding)) return host.unsupported(`Buffer.toString(${encoding})`);
      let text = "";
      const mask = /^ascii$/i.test(encoding) ? 0x7f : 0xff;
      for (let i = 0; i < part.length; i++) text += String.fromCharCode(part[i] & mask);
      return text;
    }
    slice(start, end) {
      return this.subarray(start, end);
    }
  }
  const bufferOffer = offer("Buffer", Buffer);
  // Methods of Node's Buffer that are not here.
  for (const name of [
    "toJSON",
    "equals",
    "compare",
    "write",
    "copy",
    "readBigInt64LE",
    "readBigInt64BE",
    "readBigUInt64LE",
    "readBigUInt64BE",
    "readDoubleLE",
    "readDoubleBE",
    "readFloatLE",
    "readFloatBE",
    "readInt8",
    "readInt16LE",
    "readInt16BE",
    "readInt32LE",
    "readInt32BE",
    "readIntLE",
    "readIntBE",
    "readUInt8",
    "readUint8",
    "readUInt16LE",
    "readUInt16BE",
    "readUInt32LE",
    "readUInt32BE",
    "readUIntLE",
    "readUIntBE",
    "writeInt8",
    "writeUInt8",
    "writeInt16LE",
    "writeInt16BE",
    "writeInt32LE",
    "writeInt32BE",
    "writeUInt16LE",
    "writeUInt16BE",
    "writeUInt32LE",
    "writeUInt32BE",
    "writeDoubleLE",
    "writeDoubleBE",
    "writeFloatLE",
    "writeFloatBE",
    "swap16",
    "swap32",
    "swap64",
    "utf8Slice",
    "latin1Slice",
    "asciiSlice",
    "hexSlice",
    "base64Slice",
    "ucs2Slice",
  ]) {
    Object.defineProperty(Buffer.prototype, name, {
      get: () => host.unsupported(`Buffer.prototype.${name}`),
      configurable: true,
    });
  }

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }
    encode(text = "") {
      return encodeUtf8(String(text));
    }
    encodeInto() {
      return host.unsupported("TextEncoder.encodeInto");
    }
  }
  class TextDecoder {
    #ignoreBom;
    constructor(label = "utf-8", options = {}) {
      if (!isUtf8(label) || options.fatal) host.unsupported(`TextDecoder(${label})`);
      this.#ignoreBom = options.ignoreBOM === true;
    }
    get encoding() {
      return "utf-8";
    }
    decode(bytes, options) {
      if (options?.stream) return host.unsupported("TextDecoder.decode with stream");
      if (bytes === undefined) return "";
      const view = ArrayBuffer.isView(bytes)
        ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        : new Uint8Array(bytes);
      const text = decodeUtf8(view);
      return !this.#ignoreBom && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
    }
  }

  // --- output -----------------------------------------------------------------------------------------------------
  const pending = ["", "", ""];
  const flush = () => {
    for (const fd of [1, 2]) {
      if (pending[fd] !== "") host.write(fd, pending[fd]);
      pending[fd] = "";
    }
  };
  const write = (fd, value) => {
    if (typeof value !== "string") {
      if (!(value instanceof Uint8Array)) return host.unsupported("write of something that is no text");
      for (let i = 0; i < value.length; i++)
        if (value[i] > 0x7f) return host.unsupported("write of bytes beyond ASCII");
      value = decodeUtf8(value);
    }
    pending[fd] += value;
    if (pending[fd].length > 65536) flush();
    return true;
  };
  const stream = (name, fd) =>
    offer(name, {
      fd,
      isTTY: undefined,
      columns: undefined,
      writable: true,
      write: (value, encoding, done) => {
        const callback = typeof encoding === "function" ? encoding : done;
        write(fd, value);
        if (callback !== undefined) process.nextTick(callback);
        return true;
      },
      end: (value) => {
        if (value !== undefined) write(fd, value);
      },
      on: () => process.stdout,
      once: () => process.stdout,
      cork: () => {},
      uncork: () => {},
    });

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
  const console = offer("console", {
    log: printTo(1),
    info: printTo(1),
    debug: printTo(1),
    error: printTo(2),
    warn: printTo(2),
    assert: (value, ...values) => {
      if (!value)
        write(2, values.length === 0 ? "Assertion failed\n" : `Assertion failed: ${format(values)}`);
    },
  });

  // --- event loop -------------------------------------------------------------------------------------------------
  const immediates = [];
  const timers = [];
  const ticks = [];
  let timerIds = 0;
  const runTicks = () => {
    for (let tick = ticks.shift(); tick !== undefined; tick = ticks.shift()) tick();
  };
  const nextTick = (callback, ...args) => void ticks.push(() => callback(...args));
  class Timeout {
    constructor(callback, ms, args, repeats) {
      this.id = ++timerIds;
      this.callback = callback;
      this.args = args;
      // Node takes anything below 1 or too large as 1 ms.
      this.ms = ms >= 1 && ms <= 2147483647 ? Math.trunc(ms) : 1;
      this.repeats = repeats;
      this.due = host.now() + this.ms;
      timers.push(this);
    }
    ref() {
      return this;
    }
    unref() {
      return host.unsupported("timer.unref");
    }
    hasRef() {
      return true;
    }
    refresh() {
      return host.unsupported("timer.refresh");
    }
    [Symbol.toPrimitive]() {
      return this.id;
    }
  }
  const clearTimer = (timer) => {
    const at = timers.findIndex((one) => one === timer || one.id === Number(timer));
    if (at >= 0) timers.splice(at, 1);
  };
  const setImmediate = (callback, ...args) => {
    const task = { run: () => callback(...args) };
    immediates.push(task);
    return task;
  };
  const later = (run) => immediates.push({ run });

  /** The timer that is due first, if any. */
  const firstTimer = () => {
    let first;
    for (const timer of timers) {
      if (first === undefined || timer.due < first.due || (timer.due === first.due && timer.id < first.id))
        first = timer;
    }
    return first;
  };
  /** Runs one task. Promise reactions run when it has returned, ticks before them, as in Node. */
  const step = () => {
    if (ticks.length === 0) {
      const now = host.now();
      const timer = firstTimer();
      if (timer !== undefined && timer.due <= now) {
        if (timer.repeats) timer.due = now + timer.ms;
        else clearTimer(timer);
        timer.callback(...timer.args);
      } else if (immediates.length > 0) immediates.shift().run();
    }
    runTicks();
    flush();
  };
  /** Milliseconds until there is a task to run; -1 when there is none and will be none. */
  const next = () => {
    if (ticks.length > 0 || immediates.length > 0) return 0;
    const timer = firstTimer();
    return timer === undefined ? -1 : Math.max(0, timer.due - host.now());
  };

  // --- input ------------------------------------------------------------------------------------------------------
  class Emitter {
    #listeners = new Map();
    on(event, listener) {
      const list = this.#listeners.get(event) ?? [];
      this.#listeners.set(event, [...list, listener]);
      this.listens?.(event);
      return this.self ?? this;
    }
    addListener(event, listener) {
      return this.on(event, listener);
    }
    once(event, listener) {
      const wrapped = (...args) => {
        this.off(event, wrapped);
        listener.apply(this.self ?? this, args);
      };
      wrapped.listener = listener;
      return this.on(event, wrapped);
    }
    off(event, listener) {
      const list = this.#listeners.get(event) ?? [];
      this.#listeners.set(
        event,
        list.filter((one) => one !== listener && one.listener !== listener),
      );
      return this.self ?? this;
    }
    removeListener(event, listener) {
      return this.off(event, listener);
    }
    removeAllListeners(event) {
      if (event === undefined) this.#listeners.clear();
      else this.#listeners.delete(event);
      return this.self ?? this;
    }
    emit(event, ...args) {
      const list = this.#listeners.get(event) ?? [];
      for (const listener of list) listener.apply(this.self ?? this, args);
      return list.length > 0;
    }
    listenerCount(event) {
      return (this.#listeners.get(event) ?? []).length;
    }
  }

  let inputTaken = false;
  const inputText = () => {
    inputTaken = true;
    return host.text();
  };
  const inputBytes = () => {
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
  const guarded = (name, object) => {
    const proxy = new Proxy(object, {
      get(target, key) {
        const value = target[key];
        // Private fields belong to the object behind the proxy.
        if (typeof value === "function") return value.bind(target);
        if (typeof key === "symbol" || key in target || key === "then" || key === "toJSON") return value;
        return host.unsupported(`${name}.${key}`);
      },
    });
    object.self = proxy;
    return proxy;
  };
  const stdin = guarded("process.stdin", new Stdin());

  const splitLines = (text) => {
    const lines = text.split(/\r\n|\n|\r/);
    if (lines.at(-1) === "") lines.pop();
    return lines;
  };

  class Interface extends Emitter {
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
      if (this.#closed) return host.unsupported("question after close");
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
  const createInterface = (input, output) => {
    const options = input === stdin ? { input, output } : (input ?? {});
    const made = new Interface(options);
    const proxy = guarded("readline.Interface", made);
    made.start();
    return proxy;
  };

  // --- modules ----------------------------------------------------------------------------------------------------
  const isStdin = (path) => path === 0 || path === "/dev/stdin" || path === "/proc/self/fd/0";
  const outputOf = (path) =>
    path === 1 || path === "/dev/stdout" ? 1 : path === 2 || path === "/dev/stderr" ? 2 : undefined;
  const writeTo = (what) => (path, data) => {
    const fd = outputOf(path);
    if (fd === undefined || (typeof data !== "string" && !(data instanceof Uint8Array)))
      return host.unsupported(what);
    write(fd, data);
    return data.length;
  };
  const fs = offer("fs", {
    readFileSync: (path, options) => {
      if (!isStdin(path)) return host.unsupported(`fs.readFileSync(${String(path)})`);
      const encoding =
        typeof options === "string" || options === undefined || options === null ? options : options.encoding;
      if (inputTaken) return encoding === undefined || encoding === null ? new Buffer(0) : "";
      if (encoding === undefined || encoding === null) return inputBytes();
      return isUtf8(encoding) ? inputText() : inputBytes().toString(encoding);
    },
    writeSync: (fd, data, ...rest) =>
      rest.length > 0 ? host.unsupported("fs.writeSync") : writeTo("fs.writeSync")(fd, data),
    writeFileSync: (path, data) => void writeTo("fs.writeFileSync")(path, data),
    appendFileSync: (path, data) => void writeTo("fs.appendFileSync")(path, data),
  });
  const hrtime = (since) => {
    const now = host.now();
    const seconds = Math.trunc(now / 1000);
    const nanos = Math.trunc((now % 1000) * 1e6);
    if (since === undefined) return [seconds, nanos];
    const carry = nanos < since[1] ? 1 : 0;
    return [seconds - since[0] - carry, nanos - since[1] + carry * 1e9];
  };
  hrtime.bigint = () => BigInt(Math.trunc(host.now() * 1e6));

  const exitListeners = [];
  let exitCode;
  const exit = (code = exitCode ?? 0) => {
    exitCode = code;
    for (const listener of exitListeners.splice(0)) listener(Number(exitCode));
    flush();
    host.exit(Number(exitCode));
    for (;;);
  };
  const processMembers = {
    argv: ["/opt/node/bin/node", "/box/main.js"],
    env: {},
    execArgv: [],
    title: "node",
    pid: 2,
    platform: "linux",
    exit,
    stdin,
    stdout: stream("process.stdout", 1),
    stderr: stream("process.stderr", 2),
    nextTick,
    hrtime,
    uptime: () => host.now() / 1000,
    cwd: () => "/box",
    get exitCode() {
      return exitCode;
    },
    set exitCode(code) {
      exitCode = code;
    },
    on: (event, listener) => {
      if (event !== "exit") return host.unsupported(`process.on(${String(event)})`);
      exitListeners.push(listener);
      return process;
    },
    once: (event, listener) => process.on(event, listener),
  };
  const process = offer("process", processMembers);
  const performance = offer("performance", { now: () => host.now(), timeOrigin: 0 });
  const timersModule = {
    setTimeout: (callback, ms, ...args) => new Timeout(callback, ms, args, false),
    setInterval: (callback, ms, ...args) => new Timeout(callback, ms, args, true),
    setImmediate,
    clearTimeout: clearTimer,
    clearInterval: clearTimer,
    clearImmediate: (task) => {
      const at = immediates.indexOf(task);
      if (at >= 0) immediates.splice(at, 1);
    },
  };
  const modules = {
    fs,
    readline: offer("readline", { createInterface, Interface }),
    process,
    os: offer("os", { EOL: "\n" }),
    buffer: offer("buffer", { Buffer: bufferOffer }),
    perf_hooks: offer("perf_hooks", { performance }),
    util: offer("util", { TextDecoder, TextEncoder }),
    timers: offer("timers", timersModule),
  };
  const require = offer(
    "require",
    Object.assign(
      (name) => modules[String(name).replace(/^node:/, "")] ?? host.unsupported(`require(${String(name)})`),
      {
        main: undefined,
      },
    ),
  );

  const define = (name, value) =>
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  for (const [name, value] of Object.entries({
    ...timersModule,
    queueMicrotask: (callback) => void Promise.resolve().then(callback),
    global: globalThis,
    Buffer: bufferOffer,
    TextDecoder,
    TextEncoder,
    console,
    process,
    performance,
  })) {
    define(name, value);
  }
  // Globals of Node that are not here.
  for (const name of [
    "AbortController",
    "AbortSignal",
    "Blob",
    "BroadcastChannel",
    "CompressionStream",
    "CountQueuingStrategy",
    "Crypto",
    "CryptoKey",
    "CustomEvent",
    "DecompressionStream",
    "DOMException",
    "Event",
    "EventSource",
    "EventTarget",
    "File",
    "FormData",
    "Headers",
    "MessageChannel",
    "MessageEvent",
    "MessagePort",
    "Navigator",
    "Performance",
    "ReadableStream",
    "Request",
    "Response",
    "Storage",
    "SubtleCrypto",
    "TextDecoderStream",
    "TextEncoderStream",
    "TransformStream",
    "URL",
    "URLPattern",
    "URLSearchParams",
    "WebSocket",
    "WritableStream",
    "atob",
    "btoa",
    "crypto",
    "fetch",
    "localStorage",
    "navigator",
    "sessionStorage",
    "structuredClone",
  ]) {
    Object.defineProperty(globalThis, name, {
      get: () => host.unsupported(name),
      set: (value) => define(name, value),
      configurable: true,
    });
  }

  // The child takes these before the program can.
  define("__step", step);
  define("__next", next);
  define("__finish", (failed) => {
    if (failed) exitCode = 1;
    for (const listener of exitListeners.splice(0)) listener(Number(exitCode ?? 0));
    flush();
    return Number(exitCode ?? 0);
  });
  define("__start", (program) => {
    const module = { exports: {}, children: [], filename: "/box/main.js", id: ".", loaded: false };
    Object.defineProperty(require, "main", { value: module });
    delete globalThis.__start;
    program.call(module.exports, module.exports, require, module, "/box/main.js", "/box");
    runTicks();
    flush();
  });
})();
