import { once } from "node:events";
import { WebSocket } from "ws";
import type { Chance } from "./chance.ts";
import { makeOperation } from "./documents.ts";
import { rawInput } from "./http.ts";
import { junk, junkString } from "./junk.ts";
import { mutateJson, mutateText } from "./mutate.ts";
import type { Input, World } from "./world.ts";

/** Close codes by which the server says that it broke: of the protocol, and of graphql-ws. */
const BROKE: ReadonlySet<number> = new Set([1011, 4500]);

function message(chance: Chance, world: World): string {
  const type = chance.pick([
    "subscribe",
    "subscribe",
    "subscribe",
    "complete",
    "ping",
    "pong",
    "connection_init",
    "next",
    "error",
  ]);
  const id = chance.yes(0.8) ? `${chance.int(3)}` : junk(chance, 1);
  const good = { id, type, payload: type === "subscribe" ? makeOperation(chance, world) : junk(chance, 2) };
  const made = chance.yes(0.2) ? mutateJson(chance, good, 0.3) : good;
  const text = JSON.stringify(made) ?? "";
  return chance.yes(0.1) ? mutateText(chance, text) : text;
}

/** One connection: an init that is mostly right, some messages, and then an answer to a ping or a close is due. */
export function socketInput(chance: Chance, world: World): Input {
  const right = { Authorization: `Bearer ${chance.yes(0.5) ? world.keys.participant : world.keys.jury}` };
  const init = { type: "connection_init", payload: chance.yes(0.85) ? right : junk(chance) };
  const messages = Array.from({ length: 1 + chance.int(5) }, () => message(chance, world));
  if (chance.yes(0.95)) messages.unshift(JSON.stringify(init));
  const protocol = chance.yes(0.97) ? "graphql-transport-ws" : "graphql-ws";
  return {
    kind: "websocket",
    text: messages.join("\n"),
    send: async (_world, signal) => {
      const socket = new WebSocket(`ws://127.0.0.1:${world.port}/graphql`, protocol);
      let text = "";
      let broke = false;
      const over = Promise.withResolvers<void>();
      socket.on("message", (data: Buffer) => {
        const words = data.toString("utf8");
        if (text.length < 1_000_000) text += `${words}\n`;
        if (words.includes('"fuzz-is-over"')) over.resolve();
      });
      socket.on("close", (code, reason) => {
        text += reason.toString("utf8");
        broke = BROKE.has(code);
        over.resolve();
      });
      socket.on("error", () => over.resolve());
      const abort = (): void => over.reject(signal.reason as Error);
      signal.addEventListener("abort", abort, { once: true });
      try {
        await Promise.race([once(socket, "open").catch(() => undefined), over.promise]);
        if (socket.readyState === WebSocket.OPEN) {
          for (const one of messages) socket.send(one);
          socket.send('{"type":"ping","payload":{"mark":"fuzz-is-over"}}');
        }
        await over.promise;
      } finally {
        signal.removeEventListener("abort", abort);
        socket.terminate();
      }
      return { text, fault: broke || text.includes('"code":"INTERNAL_SERVER_ERROR"') };
    },
  };
}

function frame(chance: Chance, world: World): Buffer {
  const payload = chance.yes(0.5)
    ? Buffer.from(message(chance, world).slice(0, 60_000))
    : chance.bytes(chance.int(130));
  const first = chance.yes(0.7) ? 0x81 : chance.int(256);
  const masked = chance.yes(0.9) ? 0x80 : 0;
  const lie = chance.yes(0.1) ? chance.int(1000) : payload.length;
  const head =
    lie < 126
      ? Buffer.from([first, masked | lie])
      : chance.yes(0.05)
        ? Buffer.concat([Buffer.from([first, masked | 127]), chance.bytes(8)])
        : Buffer.from([first, masked | 126, (lie >> 8) & 255, lie & 255]);
  const mask = chance.bytes(4);
  return Buffer.concat([
    head,
    ...(masked ? [mask] : []),
    payload.map((byte, i) => byte ^ (masked ? (mask[i % 4] ?? 0) : 0)),
  ]);
}

/** Bare frames after a right handshake. */
export function frameInput(chance: Chance, world: World): Input {
  const key = chance.yes(0.95)
    ? chance.bytes(16).toString("base64")
    : junkString(chance).replaceAll(/[^\x20-\x7e]/g, "");
  const handshake = `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\nSec-WebSocket-Key: ${key}\r\n\r\n`;
  const frames = Array.from({ length: 1 + chance.int(4) }, () => frame(chance, world));
  return rawInput(chance, "frames", Buffer.concat([Buffer.from(handshake), ...frames]));
}
