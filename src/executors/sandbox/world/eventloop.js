// Ticks, timers and immediates. The child asks `next` when there is something to run and lets `step` run it.

import { host } from "./host.js";
import { flush } from "./output.js";

const immediates = [];
const timers = [];
const ticks = [];
let timerIds = 0;
export const runTicks = () => {
  for (let tick = ticks.shift(); tick !== undefined; tick = ticks.shift()) tick();
};
export const nextTick = (callback, ...args) => void ticks.push(() => callback(...args));
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
export const later = (run) => immediates.push({ run });

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
export const step = () => {
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
export const next = () => {
  if (ticks.length > 0 || immediates.length > 0) return 0;
  const timer = firstTimer();
  return timer === undefined ? -1 : Math.max(0, timer.due - host.now());
};

export const timersModule = {
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
