import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { CODE_RUN_KIND } from "./coderun.ts";
import { Sha256 } from "./ids.ts";
import { JUDGE_KIND } from "./judging.ts";
import { LanguageId } from "./language.ts";
import { WorkName } from "./queue.ts";

/**
 * A kind of work besides judging, as both sides know it: the default export of `work.ts` in a folder of its own, whose
 * name is the kind's. `executor.ts` beside it says how it is done (src/executors/workload.ts). docs/workloads.md.
 */
export interface Workload<Input = unknown> {
  /** What a caller may ask for: checked at intake, and again on the executor. */
  readonly input: z.ZodType<Input>;
  /** How many files come with it. */
  readonly files: { readonly least: number; readonly most: number };
  /** Upper bound of the whole job on an executor, milliseconds: past it something is stuck, which is a fault. */
  deadlineMs(input: Input): number;
}

/** Only ties the members' types together. */
export const defineWorkload = <Input>(workload: Workload<Input>): Workload<Input> => workload;

/** A file of a job, fetched by its hash. */
export const WorkFile = z.object({ name: z.string(), sha256: Sha256, sizeBytes: z.int().min(0) });
export type WorkFile = z.infer<typeof WorkFile>;

/** Payload of such a job. */
export const WorkPayload = z.object({ input: z.unknown(), files: z.array(WorkFile) });
export type WorkPayload = z.infer<typeof WorkPayload>;

/** A workload with its name. */
export interface NamedWorkload extends Workload {
  readonly name: WorkName;
}

/** The folder named in the configuration holds no kind of work; the message says what is wrong. */
export class WorkloadUnfit extends Error {
  override readonly name = "WorkloadUnfit";
}

const Shape = z.object({
  input: z.custom<z.ZodType>((value) => value instanceof z.ZodType, "expected a zod schema"),
  files: z
    .object({ least: z.int().min(0), most: z.int().min(0) })
    .refine(({ least, most }) => least <= most, "expected least not above most"),
  deadlineMs: z.custom<Workload["deadlineMs"]>((value) => typeof value === "function", "expected a function"),
});

/** Kinds of work of our own, which use the queues of the languages. */
const RESERVED: ReadonlySet<string> = new Set([JUDGE_KIND, CODE_RUN_KIND]);

/** The name of the kind of work in a folder: the folder's. Throws WorkloadUnfit. */
export function workNameOf(folder: string): WorkName {
  const name = WorkName.safeParse(basename(folder));
  if (!name.success)
    throw new WorkloadUnfit(`${folder}: ${name.error.issues[0]?.message ?? "no usable name"}`);
  if (LanguageId.safeParse(name.data).success || RESERVED.has(name.data))
    throw new WorkloadUnfit(`${folder}: ${name.data} is a name that Docket itself uses`);
  return name.data;
}

/** The default export of a module of a workload's folder. Throws WorkloadUnfit. */
export async function importDefault(folder: string, file: string): Promise<unknown> {
  try {
    const module: unknown = await import(pathToFileURL(join(folder, file)).href);
    return (module as { readonly default?: unknown }).default;
  } catch (error) {
    throw new WorkloadUnfit(`${join(folder, file)} cannot be loaded: ${String(error)}`, { cause: error });
  }
}

/** Loads the half that both sides share. Throws WorkloadUnfit. */
export async function loadWorkload(folder: string): Promise<NamedWorkload> {
  const name = workNameOf(folder);
  const shape = Shape.safeParse(await importDefault(folder, "work.ts"));
  if (shape.success) return { name, ...shape.data };
  throw new WorkloadUnfit(
    `${join(folder, "work.ts")} has no usable default export: ${z.prettifyError(shape.error)}`,
  );
}

/** Folders from DOCKET_WORKLOADS: absolute paths, separated by commas. */
export const WorkloadFolders = z
  .string()
  .default("")
  .transform((text) =>
    text
      .split(",")
      .map((part) => part.trim())
      .filter((part) => part !== ""),
  )
  .pipe(z.array(z.string().startsWith("/", "expected absolute paths, separated by commas")));
