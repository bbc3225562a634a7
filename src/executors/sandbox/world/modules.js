// What `require` finds.

import { bufferOffer } from "./buffer.js";
import { timersModule } from "./eventloop.js";
import { fs } from "./fs.js";
import { host, offer } from "./host.js";
import { performance, process } from "./process.js";
import { createInterface, Interface } from "./readline.js";
import { TextDecoder, TextEncoder } from "./textcoders.js";

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
export const require = offer(
  "require",
  Object.assign(
    (name) => modules[String(name).replace(/^node:/, "")] ?? host.unsupported(`require(${String(name)})`),
    {
      main: undefined,
    },
  ),
);
