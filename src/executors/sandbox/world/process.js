import { nextTick } from "./eventloop.js";
import { host, offer } from "./host.js";
import { flush } from "./output.js";
import { stderr, stdout } from "./outputstreams.js";
import { stdin } from "./stdin.js";

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
  stdout,
  stderr,
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
export const process = offer("process", processMembers);

export const performance = offer("performance", { now: () => host.now(), timeOrigin: 0 });

/** Exit code of a program that has come to its end, its exit listeners run. */
export const finish = (failed) => {
  if (failed) exitCode = 1;
  for (const listener of exitListeners.splice(0)) listener(Number(exitCode ?? 0));
  flush();
  return Number(exitCode ?? 0);
};
