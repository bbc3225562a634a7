import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "../../src/supervisor/stack.ts";
import type { Proxy } from "../../test/support/proxy.ts";
import { childrenOf, descendantsOf } from "../../test/support/processes.ts";
import { type Deed, type Strike, strikes } from "./schedule.ts";

/** A strike that hit. */
export interface Hit {
  readonly deed: Deed;
  readonly process: string;
  readonly atMs: number;
  /** It led the cluster's event stream, or was the database's primary. */
  readonly leader: boolean;
}

export interface StrikingDeps {
  readonly stack: Stack;
  /** Between each executor and the broker. */
  readonly proxies: ReadonlyMap<string, readonly Proxy[]>;
  /** Names of the nodes that lead a cluster now. */
  readonly leaders: () => Promise<readonly string[]>;
  readonly tell: (line: string) => void;
}

export interface Striking {
  readonly hits: readonly Hit[];
  /** No more strikes; resolves when all that was stopped or broken goes on, and every process is ready. */
  stop(): Promise<void>;
}

/** Which processes a deed can befall. */
function victimsOf(stack: Stack, deed: Deed): string[] {
  const names = stack.processes().map(({ name }) => name);
  const of = (kind: string): string[] => names.filter((name) => name.replace(/-\d+$/, "") === kind);
  if (deed.endsWith("Server")) return of("server");
  if (deed.endsWith("Broker")) return of("nats-server");
  if (deed.endsWith("Database")) return of("mongod");
  return [...stack.executors()];
}

/** Strikes by the seed's schedule until it is stopped. */
export function startStriking(
  deps: StrikingDeps,
  input: { readonly seed: number; readonly everyMs: number },
): Striking {
  const { stack, proxies, leaders, tell } = deps;
  const hits: Hit[] = [];
  const stopping = new AbortController();
  /** Ends of stops and breaks, by victim. */
  const suffering = new Map<string, Promise<void>>();

  const lasting = (name: string, forMs: number, end: () => void): void => {
    const over = sleep(forMs, undefined, { signal: stopping.signal })
      .catch(() => undefined)
      .then(end)
      .finally(() => suffering.delete(name));
    suffering.set(name, over);
  };

  async function harm({ deed, forMs, part }: Strike, name: string): Promise<boolean> {
    const pid = stack.processes().find((one) => one.name === name)?.pid;
    if (deed === "muteExecutor" || deed === "cutExecutor") {
      const between = proxies.get(name) ?? [];
      for (const proxy of between) {
        if (deed === "muteExecutor") proxy.flow("swallow");
        else {
          proxy.accept(false);
          proxy.cut();
        }
      }
      lasting(name, forMs, () => {
        for (const proxy of between) proxy.heal();
      });
      return true;
    }
    if (pid === undefined) return false;
    if (deed === "killSandbox") {
      const [launcher] = await childrenOf(pid);
      return launcher !== undefined && process.kill(launcher, "SIGKILL");
    }
    if (deed === "killProgram") {
      const [launcher] = await childrenOf(pid);
      const inside = launcher === undefined ? [] : await descendantsOf(launcher);
      const one = inside[Math.floor(part * inside.length)];
      return one !== undefined && process.kill(one, "SIGKILL");
    }
    if (deed.startsWith("kill")) return stack.kill(name, "SIGKILL");
    if (!stack.kill(name, "SIGSTOP")) return false;
    lasting(name, forMs, () => void stack.kill(name, "SIGCONT"));
    return true;
  }

  /** Of a cluster one node of a kind is down at a time: with more, it may wait as long as they are. */
  async function othersAreUp(names: readonly string[], victim: string): Promise<boolean> {
    const others = names.filter((name) => name !== victim);
    if (others.some((name) => suffering.has(name))) return false;
    const ready = Promise.all(others.map((name) => stack.ready(name))).then(() => true);
    return await Promise.race([ready, sleep(50).then(() => false)]);
  }

  async function run(): Promise<void> {
    for (const strike of strikes(input)) {
      await sleep(strike.afterMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return;
      const names = victimsOf(stack, strike.deed);
      const quorum = /Broker|Database/.test(strike.deed) && names.length > 1;
      const leading = quorum ? (await leaders()).filter((leader) => names.includes(leader)) : [];
      // The leader counts twice: its loss is the one that hurts.
      const candidates = [...names, ...leading];
      const name = candidates[Math.floor(strike.victim * candidates.length)];
      if (name === undefined || suffering.has(name)) continue;
      if (quorum && !(await othersAreUp(names, name))) continue;
      const atMs = Date.now();
      if (!(await harm(strike, name).catch(() => false))) continue;
      const leader = leading.includes(name);
      hits.push({ deed: strike.deed, process: name, atMs, leader });
      tell(
        `${strike.deed} ${name}${leader ? " (leader)" : ""}${strike.deed.startsWith("kill") ? "" : ` for ${strike.forMs} ms`}`,
      );
    }
  }
  const running = run();

  return {
    hits,
    async stop() {
      stopping.abort();
      await running;
      await Promise.all(suffering.values());
      for (const { name } of stack.processes()) await stack.ready(name);
    },
  };
}
