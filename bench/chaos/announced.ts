import { connectNats, decodeJson } from "../../src/shared/nats.ts";
import { Announcement } from "../../src/shared/protocol.ts";
import type { Stack } from "../../src/supervisor/stack.ts";

/** Listens to what servers tell each other about final states; what is told while NATS is away is not heard. */
export interface Announced {
  /** Submissions of which final states with different revisions were told. */
  twice(): string[];
  heard(): number;
  close(): Promise<void>;
}

export async function listenToAnnouncements(stack: Stack): Promise<Announced> {
  const nats = await connectNats(stack.nats, "chaos");
  const finals = new Map<string, Set<number>>();
  nats.subscribe(`${stack.topologyPrefix}updates.*`, {
    callback: (_error, message) => {
      const told = decodeJson(Announcement, message.data);
      if (told?.final !== true) return;
      const id = message.subject.slice(message.subject.lastIndexOf(".") + 1);
      finals.set(id, (finals.get(id) ?? new Set()).add(told.revision));
    },
  });
  return {
    twice: () => [...finals].filter(([, revisions]) => revisions.size > 1).map(([id]) => id),
    heard: () => finals.size,
    close: () => nats.close(),
  };
}
