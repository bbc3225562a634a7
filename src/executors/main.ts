import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "../shared/clock.ts";
import { LanguageId, LANGUAGES } from "../shared/language.ts";
import type { QueueId } from "../shared/queue.ts";
import type { Service } from "../shared/lifecycle.ts";
import { createLog, type Log } from "../shared/log.ts";
import type { TestedLanguage } from "./backbone/offer.ts";
import { readExecutorEnvironment } from "./config.ts";
import { lacksGpu } from "./gpu.ts";
import { openJudge } from "./judge/open.ts";
import { newRegistry, runExecutor, startOrExit } from "./process.ts";
import { startPreparing } from "./prepared/preparing.ts";
import { type MachineLock, openMachineLock } from "./machinelock.ts";
import { createTurnstile } from "./sandbox/turnstile.ts";
import { type IsolateSandbox, measureIsolates, openIsolates } from "./sandbox/isolate.ts";
import { dropPrivileges, type NativeSandbox, openSandbox } from "./sandbox/native.ts";
import { isolateMounts } from "./sandbox/warmchild.ts";
import { findLanguages, type FoundLanguage, selfTest, testLanguage } from "./selftest.ts";
import { lockWorkDir } from "./workdir.ts";
import { createWork, loadWork } from "./workload.ts";

/** Languages in which validators are written: tried on every executor, offered only where configured. */
const VALIDATOR_LANGUAGES: readonly LanguageId[] = ["c", "cpp", "python", "java"];

/** A sandbox whose launcher dies takes the executor with it: it must never run a program without. */
function sandboxService(sandbox: NativeSandbox, isolates: IsolateSandbox | undefined): Service {
  let closing = false;
  void (async () => {
    await sandbox.gone;
    if (!closing) throw new Error("the sandbox's launcher has gone");
  })();
  return {
    name: "sandbox",
    start: () => Promise.resolve(),
    stop: async () => {
      closing = true;
      await isolates?.close();
      await sandbox.close();
    },
  };
}

/** Without it executors of one machine do not hold back for each other: no reason not to work. */
function tryMachineLock(path: string, log: Log): MachineLock | undefined {
  try {
    return openMachineLock(path, systemClock);
  } catch (error) {
    log.warn({ err: error, path }, "no lock shared with other executors of this machine");
    return undefined;
  }
}

/**
 * One executor process. It starts as root, to look for toolchains and to start the sandbox's privileged launcher, then
 * becomes DOCKET_UID for good before it talks to anybody.
 */
await startOrExit(async () => {
  const { config, privileged } = readExecutorEnvironment(process.env);
  const log = createLog("executor", config.logLevel).child({ executor: config.id });
  const { workDir, slots, mostSlots } = config;
  await lockWorkDir(workDir);

  const works = await Promise.all(config.workloads.map(loadWork));
  const needed = works.flatMap(({ doer }) => doer.needs ?? []);
  const judged = config.languages.length === 0 ? [] : [...config.languages, ...VALIDATOR_LANGUAGES];
  const wanted = [...new Set([...judged, ...needed])];
  // Beside the work folder, not in it: what programs are shown must not be writable for this executor's user.
  const cacheDir = privileged.toolchainDir ?? join(dirname(workDir), "toolchains");
  const { found, missing } = await findLanguages(wanted, {
    path: process.env["PATH"],
    home: homedir(),
    node: process.execPath,
    cacheDir,
    gpu: config.gpu,
  });
  const registry = newRegistry();
  const preparing = startPreparing(
    { registry, log },
    {
      cacheDir,
      maxBytes: config.limits.toolchainCacheBytes,
      wanted: found.flatMap(({ toolchain }) => toolchain.prepared ?? []),
    },
  );
  const sandbox = await openSandbox({
    executor: config.id,
    workDir,
    slots: mostSlots,
    devices: found.some(({ id }) => LANGUAGES[id].resource === "gpu") ? config.gpu?.devices : [],
    nodeOptions: process.env["NODE_OPTIONS"],
    ...privileged,
    mounts: [
      ...found.flatMap(({ toolchain }) => toolchain.mounts),
      ...(found.some(({ definition }) => definition.engine === "isolate")
        ? isolateMounts(process.execPath)
        : []),
    ],
  });
  // Read while root may: a checkout below a closed folder such as /root is out of reach afterwards.
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  const lock = tryMachineLock(privileged.machineLock, log);
  dropPrivileges(privileged.uid, workDir);

  const testDeps = { sandbox, workDir, slots };
  const { offered, notOffered } = await selfTest(testDeps, found, new AbortController().signal);
  const usable = new Map<QueueId, FoundLanguage>(offered.map((language) => [language.id, language]));
  const reasons = new Map<QueueId, string>([...missing, ...notOffered].map(({ id, reason }) => [id, reason]));
  const unusable = (id: QueueId): string => reasons.get(id) ?? "not found";
  const offerOf = (id: QueueId): TestedLanguage => {
    const work = works.find(({ workload }) => workload.name === id);
    const needs: readonly QueueId[] = work === undefined ? [id] : (work.doer.needs ?? []);
    const lacking = needs.find((need) => !usable.has(need));
    if (lacking !== undefined) return { id, reason: unusable(lacking) };
    return { id, version: needs.map((need) => usable.get(need)?.version ?? "").join(", ") };
  };
  const tested = [...config.languages, ...works.map(({ workload }) => workload.name)].map(offerOf);
  for (const [id, reason] of reasons) log.warn({ language: id, reason }, "language not offered");

  /** What is not installed stays so until the next start, as only root can look for it. */
  const retest = async (id: QueueId, slot: number): Promise<TestedLanguage> => {
    const needs = works.find(({ workload }) => workload.name === id)?.doer.needs ?? [];
    const asLanguage = LanguageId.safeParse(id);
    const needsGpu = asLanguage.success && LANGUAGES[asLanguage.data].resource === "gpu";
    const lacking = needsGpu ? await lacksGpu(config.gpu) : undefined;
    if (lacking !== undefined) return { id, reason: lacking };
    for (const language of found.filter((one) => one.id === id || needs.includes(one.id))) {
      const how = { slot, signal: new AbortController().signal, fresh: true };
      const reason = await testLanguage(testDeps, language, how);
      if (reason !== undefined) return { id, reason };
      usable.set(language.id, language);
    }
    return offerOf(id);
  };

  const isolates = offered.some(({ definition }) => definition.engine === "isolate")
    ? await openIsolates({ native: sandbox, workDir, slots, monotonicMs: () => performance.now() })
    : undefined;

  if (isolates !== undefined) measureIsolates(isolates, registry);
  const turnstile = createTurnstile({ sandbox: isolates ?? sandbox, lock, clock: systemClock });
  const { judge, codeRun } = await openJudge({
    sandbox: turnstile,
    workDir,
    limits: config.limits,
    clock: systemClock,
    registry,
    language: (id) => usable.get(id),
  });
  await runExecutor({
    config,
    log,
    kinds: [
      judge,
      codeRun,
      ...works.map((work) =>
        createWork({ sandbox: turnstile, workDir, toolchain: (id) => usable.get(id)?.toolchain }, work),
      ),
    ],
    tested,
    retest,
    version,
    registry,
    before: [preparing, sandboxService(sandbox, isolates)],
  });
});
