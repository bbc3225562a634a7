import type { IncomingMessage } from "node:http";
import { CloseCode, type Server } from "graphql-ws";
import type { Extra } from "graphql-ws/use/ws";
import type { WebSocket } from "ws";
import type { Log } from "../../shared/log.ts";

/** A peer that does not even answer a ping within so long is gone, milliseconds. */
const KEEP_ALIVE_MS = 12_000;

/** How graphql-ws words what only a client can have done wrong. */
const CLIENTS_MISTAKE = /^Unexpected message of type /;

/**
 * Carries messages between one WebSocket and the protocol. In the place of graphql-ws's own, which prints a stack
 * trace for every frame that a client got wrong, and sends the text of our errors as the reason of the close.
 */
export function carryMessages<E extends Extra>(
  deps: { readonly protocol: Server<E>; readonly log: Log },
  socket: WebSocket,
  request: IncomingMessage,
): void {
  const { protocol, log } = deps;
  // The library has closed the socket with the right code: there is nothing to do but to take note.
  socket.on("error", (error) => log.debug({ err: error }, "a WebSocket broke"));

  let pongWait: NodeJS.Timeout | undefined;
  const keepAlive = setInterval(() => {
    if (socket.readyState !== socket.OPEN) return;
    pongWait ??= setTimeout(() => socket.terminate(), KEEP_ALIVE_MS);
    socket.ping();
  }, KEEP_ALIVE_MS);
  socket.on("pong", () => {
    clearTimeout(pongWait);
    pongWait = undefined;
  });

  const fail = (error: unknown): void => {
    const mistake = error instanceof Error && CLIENTS_MISTAKE.test(error.message);
    if (mistake) {
      socket.close(CloseCode.BadRequest, "Invalid message received");
      return;
    }
    log.error({ err: error }, "a WebSocket message failed");
    socket.close(CloseCode.InternalServerError, "Something went wrong on our side.");
  };
  const closed = protocol.opened(
    {
      protocol: socket.protocol,
      send: (data) =>
        new Promise((resolve) => {
          if (socket.readyState !== socket.OPEN) resolve();
          // What cannot be sent has nobody to go to: the socket's own close follows.
          else socket.send(data, () => resolve());
        }),
      close: (code, reason) => socket.close(code, reason),
      onMessage: (take) => {
        // Buffers or text: graphql-ws takes the words.
        socket.on("message", (data: Buffer) => void take(data.toString("utf8")).catch(fail));
      },
    },
    { socket, request } as unknown as E,
  );
  socket.once("close", (code, reason) => {
    clearTimeout(pongWait);
    clearInterval(keepAlive);
    closed(code, reason.toString("utf8")).catch((error: unknown) =>
      log.error({ err: error }, "closing a WebSocket failed"),
    );
  });
}
