// Node's global names: those that are here, and those that end the isolate.

import { bufferOffer } from "./buffer.js";
import { console } from "./console.js";
import { timersModule } from "./eventloop.js";
import { host } from "./host.js";
import { performance, process } from "./process.js";
import { TextDecoder, TextEncoder } from "./textcoders.js";

export const define = (name, value) =>
  Object.defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
for (const [name, value] of Object.entries({
  ...timersModule,
  queueMicrotask: (callback) => {
    const run = async () => {
      await Promise.resolve();
      callback();
    };
    void run();
  },
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
    set: (value) => {
      define(name, value);
    },
    configurable: true,
  });
}
