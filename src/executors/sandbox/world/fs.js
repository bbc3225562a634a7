// Of the file system, only the standard streams under their names as files.

import { Buffer } from "./buffer.js";
import { host, offer } from "./host.js";
import { write } from "./output.js";
import { inputBytes, inputTaken, inputText } from "./stdin.js";
import { isUtf8 } from "./utf8.js";

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
export const fs = offer("fs", {
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
