import { nextTick } from "./eventloop.js";
import { offer } from "./host.js";
import { write } from "./output.js";

const stream = (name, fd) => {
  const self = offer(name, {
    fd,
    isTTY: undefined,
    columns: undefined,
    writable: true,
    write: (value, encoding, done) => {
      const callback = typeof encoding === "function" ? encoding : done;
      write(fd, value);
      if (callback !== undefined) nextTick(callback);
      return true;
    },
    end: (value) => {
      if (value !== undefined) write(fd, value);
    },
    on: () => self,
    once: () => self,
    cork: () => {},
    uncork: () => {},
  });
  return self;
};

export const stdout = stream("process.stdout", 1);
export const stderr = stream("process.stderr", 2);
