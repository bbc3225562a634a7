import { z } from "zod";

/** What executor and launcher say to each other: one JSON object a line, over the launcher's stdin and stdout. */

const Text = z.string().refine((text) => !text.includes("\0"), "must not contain NUL");
const Path = Text.startsWith("/").max(4096);

export const Mount = z.object({ host: Path, inside: Path });

/** Run by run, only these folders take mounts: they are empty in the prepared tree. */
const PerRunMount = Mount.extend({
  inside: z
    .string()
    .regex(/^\/(data|feedback)(\/[A-Za-z0-9_.-]+)*$/)
    .refine((path) => !path.split("/").includes("..")),
});

/** First line: everything that stays the same for the launcher's life. Sent while the executor is still root. */
export const LauncherConfig = z.object({
  executor: z.string().regex(/^[a-z0-9][a-z0-9_-]{0,62}$/),
  workDir: Path,
  bwrap: Path,
  /** Uid and gid of the executor: owner of every file it may name. */
  uid: z.int().min(1),
  slots: z.int().min(1).max(1024),
  /** Slot k runs programs under uid and gid base + k. */
  slotUidBase: z.int().min(1),
  /** Share of the CPU against everything else on the machine: 100 as anybody, 1 to 10,000. */
  cpuWeight: z.int().min(1).max(10_000),
  /** Shown read-only to every program. */
  mounts: z.array(Mount),
  /** Device files shown to every program under the same path, as their own mode allows. */
  devices: z.array(Path.regex(/^\/dev\/[\w.-]+(\/[\w.-]+)*$/).refine((path) => !path.includes(".."))),
});
export type LauncherConfig = z.infer<typeof LauncherConfig>;

/** Names that would change what the loader does before privileges are gone. */
const FORBIDDEN_ENV = /^(LD_|GLIBC_|GCONV|MALLOC_|LOCPATH|NLSPATH|GETCONF_)/;

export const LaunchRequest = z.object({
  slot: z.int().min(0),
  argv: z.tuple([Path], Text),
  env: z.record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .refine((name) => !FORBIDDEN_ENV.test(name), "not allowed"),
    Text,
  ),
  box: Path,
  boxWritable: z.boolean(),
  mounts: z.array(PerRunMount).max(2),
  scratch: PerRunMount.optional(),
  stdin: Path.nullable(),
  stdout: Path.nullable(),
  stderr: Path.nullable(),
  limits: z.object({
    cpuMs: z.number().min(1),
    wallMs: z.number().min(1),
    memoryKiB: z.int().min(1),
    outputKiB: z.int().min(1),
    processes: z.int().min(1),
  }),
});
export type LaunchRequest = z.infer<typeof LaunchRequest>;

export const ToLauncher = z.discriminatedUnion("type", [
  z.object({ type: z.literal("run"), id: z.int(), request: LaunchRequest }),
  z.object({ type: z.literal("cancel"), id: z.int() }),
  z.object({ type: z.literal("remove"), id: z.int(), path: Path }),
  /** Another memory limit for a run that is on its way. */
  z.object({ type: z.literal("limit"), id: z.int(), run: z.int(), memoryKiB: z.int().min(1) }),
]);
export type ToLauncher = z.infer<typeof ToLauncher>;

const Status = z.discriminatedUnion("type", [
  z.object({ type: z.literal("exited"), code: z.int() }),
  z.object({ type: z.literal("signalled"), signal: z.string() }),
  z.object({ type: z.literal("limit"), limit: z.enum(["cpu", "wall", "memory", "output"]) }),
  z.object({ type: z.literal("cancelled") }),
]);

export const FromLauncher = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ready"), cgroup: z.enum(["v1", "v2"]) }),
  /** This machine cannot sandbox: why, in plain words. */
  z.object({ type: z.literal("refused"), message: z.string() }),
  /** Accounts that the executor itself may read while the program runs. */
  z.object({
    type: z.literal("started"),
    id: z.int(),
    cpuFile: z.string(),
    memoryFile: z.string(),
    procsFile: z.string(),
  }),
  z.object({
    type: z.literal("ended"),
    id: z.int(),
    result: z.object({ status: Status, cpuMs: z.number(), wallMs: z.number(), memoryKiB: z.number() }),
  }),
  z.object({ type: z.literal("done"), id: z.int() }),
  z.object({
    type: z.literal("failed"),
    id: z.int(),
    message: z.string(),
    /** As of SandboxFault. */
    shared: z.boolean().optional(),
  }),
]);
export type FromLauncher = z.infer<typeof FromLauncher>;
