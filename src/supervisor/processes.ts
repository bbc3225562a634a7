import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { bornIn } from "./backing.ts";
import type { StackDeps } from "./deps.ts";
import { executorEnvironment, serverEnvironment, type StackFacts } from "./environment.ts";
import { keepAlive, type Kept } from "./keepalive.ts";
import { giveTo } from "./ownership.ts";
import type { ExecutorPlan } from "./pools.ts";
import { startReady } from "./readyprocess.ts";
import { checkoutIsOpen, NODE, ROOT } from "./checkout.ts";

export interface ExecutorInput extends Variables {
  readonly plan: ExecutorPlan;
  readonly index: number;
  readonly slotsBefore: number;
  readonly brokerFor?: ((executor: string, url: string) => Promise<string>) | undefined;
}

interface Variables {
  readonly env: NodeJS.ProcessEnv;
  readonly extraEnv?: Readonly<Record<string, NodeJS.ProcessEnv>> | undefined;
}

/** Patient: on a machine without free CPU, killing a process that starts slowly makes the next start slower still. */
const SERVER_READY_MS = 120_000;
/** The first start compiles Go's standard library and warms every toolchain, on however few cores there are. */
const EXECUTOR_READY_MS = 300_000;

/** The first server is `server`, the next ones `server-2` and so on. */
export async function startServer(
  deps: StackDeps,
  facts: StackFacts,
  given: Variables & { readonly index: number },
): Promise<Kept> {
  const name = given.index === 0 ? "server" : `server-${given.index + 1}`;
  const onLine = await deps.logs.writer(name);
  const uid = (await checkoutIsOpen()) ? deps.block?.service : undefined;
  // Archives are unpacked here: our own TMPDIR may be closed to the server's user.
  const temporary = join(deps.data.path, name);
  return await keepAlive(
    name,
    async (born) => {
      // What a server that was killed left in it goes.
      await rm(temporary, { recursive: true, force: true });
      await mkdir(temporary, { mode: 0o700 });
      await giveTo(temporary, uid);
      await startReady(
        { watchdog: deps.watchdog, born: bornIn(deps, born) },
        {
          name,
          command: NODE,
          args: [join(ROOT, "src/server/main.ts")],
          cwd: "/",
          env: {
            ...serverEnvironment(facts, given.env, facts.ports[given.index] ?? 0),
            TMPDIR: temporary,
            ...given.extraEnv?.["server"],
            ...given.extraEnv?.[name],
          },
          uid,
          readyMs: SERVER_READY_MS,
          onStdout: onLine,
          onStderr: onLine,
        },
      );
    },
    deps.tell,
  );
}

/** An executor starts as root, prepares its sandbox, and drops to its own user by itself. */
export async function startExecutor(deps: StackDeps, facts: StackFacts, given: ExecutorInput): Promise<Kept> {
  const { plan } = given;
  if (deps.block === undefined) throw new Error("executors need root");
  const uid = deps.block.executor(given.index);
  const workDir = join(deps.data.path, "executors", plan.id);
  await mkdir(workDir, { recursive: true });
  // Open to be passed through: its slots' users reach their boxes in it.
  await chmod(workDir, 0o711);
  await giveTo(workDir, uid);
  const onLine = await deps.logs.writer(plan.id);
  const natsUrl = (await given.brokerFor?.(plan.id, facts.nats.url)) ?? facts.nats.url;
  const executor = { plan, workDir, uid, slotUidBase: deps.block.slotBase(given.slotsBefore), natsUrl };
  return await keepAlive(
    plan.id,
    async (born) => {
      await startReady(
        { watchdog: deps.watchdog, born: bornIn(deps, born) },
        {
          name: plan.id,
          command: NODE,
          args: [join(ROOT, "src/executors/main.ts")],
          cwd: "/",
          env: {
            ...executorEnvironment(facts, given.env, executor),
            ...given.extraEnv?.["executors"],
            ...given.extraEnv?.[plan.id],
          },
          readyMs: EXECUTOR_READY_MS,
          onStdout: onLine,
          onStderr: onLine,
        },
      );
    },
    deps.tell,
  );
}
