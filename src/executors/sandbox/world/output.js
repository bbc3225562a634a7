// Standard output and error, gathered so that not every line is a call out of the isolate.

import { host } from "./host.js";
import { decodeUtf8 } from "./utf8.js";

const pending = ["", "", ""];
export const flush = () => {
  for (const fd of [1, 2]) {
    if (pending[fd] !== "") host.write(fd, pending[fd]);
    pending[fd] = "";
  }
};
export const write = (fd, value) => {
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
