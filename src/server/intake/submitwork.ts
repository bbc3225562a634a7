import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import { judgementId, type Sha256 } from "../../shared/ids.ts";
import type { Lane } from "../../shared/lane.ts";
import { within } from "../../shared/within.ts";
import type { NamedWorkload, WorkFile } from "../../shared/workload.ts";
import type { JudgementDocument, Role, SubmissionDocument, WorkDocument } from "../store/documents.ts";
import { StoreUnavailable } from "../store/unavailable.ts";
import { isFileName, isIdempotencyKey } from "./check.ts";
import { passed, type Refusal, refuse, type SubmitOutcome } from "./outcome.ts";
import { firstDispatch, type FirstDispatchDeps, sendFirst } from "./firstdispatch.ts";
import type { PublishDeps } from "./publishclaimed.ts";
import { type GivenPlace, withPlace } from "./withplace.ts";
import { replay, STORE_WAIT_MS, type SubmitDeps, unavailable } from "./submit.ts";

/** Work of another kind than judging, not yet checked. */
export interface SubmitWorkInput {
  readonly owner: string;
  readonly role: Role;
  readonly kind: string;
  /** Checked by the kind's own schema. */
  readonly input: unknown;
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly idempotencyKey?: string | undefined;
  /** Jury and admin only; "practice" by default. */
  readonly lane?: Lane | undefined;
}

export interface SubmitWorkDeps extends Pick<
  SubmitDeps,
  | "store"
  | "clock"
  | "limits"
  | "log"
  | "measures"
  | "crash"
  | "admission"
  | "waitOfNew"
  | "wakeLine"
  | keyof FirstDispatchDeps
  | keyof PublishDeps
> {
  readonly workloads: readonly NamedWorkload[];
}

const sha256Of = (content: string | Uint8Array): Sha256 =>
  createHash("sha256").update(content).digest("hex") as Sha256;

interface Checked extends Pick<SubmitWorkInput, "files"> {
  readonly workload: NamedWorkload;
  readonly input: unknown;
  readonly lane: Lane;
}

/** Sorts out what can never be done, before anything is stored. */
function check({ workloads, limits }: SubmitWorkDeps, given: SubmitWorkInput): Refusal | Checked {
  const workload = workloads.find(({ name }) => name === given.kind);
  if (workload === undefined) {
    const known = workloads.map(({ name }) => name).join(", ");
    const there =
      known === "" ? "this server is configured for none (DOCKET_WORKLOADS)" : `there are: ${known}`;
    return refuse("INPUT_INVALID", `kind: no such kind of work; ${there}.`);
  }
  if (given.lane !== undefined && given.lane !== "practice" && given.role === "participant")
    return refuse("FORBIDDEN", `lane: only jury and admin keys may submit to the lane "${given.lane}".`);
  if (given.idempotencyKey !== undefined && !isIdempotencyKey(limits, given.idempotencyKey)) {
    const message = `idempotencyKey: expected 1 to ${limits.idempotencyKeyCharacters} printable ASCII characters.`;
    return refuse("INPUT_INVALID", message, passed(limits, "idempotencyKeyCharacters"));
  }
  const input = workload.input.safeParse(given.input);
  if (!input.success) return refuse("INPUT_INVALID", `input: ${z.prettifyError(input.error)}`);
  const inputBytes = Buffer.byteLength(JSON.stringify(input.data ?? null));
  if (inputBytes > limits.workInputBytes) {
    const message = `input: it has ${inputBytes} bytes as JSON; the limit workInputBytes is ${limits.workInputBytes}. Send more as a file.`;
    return refuse("INPUT_INVALID", message, passed(limits, "workInputBytes"));
  }
  return (
    checkFiles(given.files, workload, limits) ?? {
      workload,
      input: input.data,
      files: given.files,
      lane: given.lane ?? "practice",
    }
  );
}

function checkFiles(
  files: SubmitWorkInput["files"],
  { name: kind, files: { least, most } }: NamedWorkload,
  limits: SubmitDeps["limits"],
): Refusal | undefined {
  if (files.length < least || files.length > Math.min(most, limits.sourceFiles)) {
    const range = least === most ? String(least) : `${least} to ${most}`;
    return refuse("INPUT_INVALID", `files: ${kind} takes ${range}, and not ${files.length}.`, {
      limit: most,
    });
  }
  const wrong = files.find((file) => !isFileName(limits, file.name));
  if (wrong !== undefined) {
    const message = `The file name ${JSON.stringify(wrong.name.slice(0, 120))} is not usable: 1 to ${limits.fileNameCharacters} letters, digits, '_', '-', '.', '+', without folders, not starting with '.', '-' or '+'.`;
    return refuse("FILE_NAME_INVALID", message, passed(limits, "fileNameCharacters"));
  }
  if (new Set(files.map((file) => file.name)).size < files.length)
    return refuse("FILE_NAME_INVALID", "Two files have the same name.");
  const bytes = files.reduce((sum, file) => sum + file.content.length, 0);
  if (bytes <= limits.workFileBytes) return undefined;
  const message = `The files have ${bytes} bytes; the limit workFileBytes is ${limits.workFileBytes}.`;
  return refuse("SOURCE_TOO_LARGE", message, passed(limits, "workFileBytes"));
}

function contentHashOf({ workload, input, files }: Checked): Sha256 {
  const named = files.map(({ name, content }) => [name, sha256Of(content)]);
  return sha256Of(JSON.stringify([workload.name, input, named]));
}

/** Takes in work of another kind than judging: stored and published as a submission is (docs/adr/0010). */
async function accept(
  deps: SubmitWorkDeps,
  given: SubmitWorkInput,
  checked: Checked,
  { id, now, unfinished }: GivenPlace,
): Promise<SubmitOutcome> {
  const { store } = deps;
  const at = new Date(now);
  const kind = checked.workload.name;
  const shared = {
    kind,
    owner: given.owner,
    language: kind,
    lane: checked.lane,
    generation: 1,
    createdAt: at,
  };
  const judgement: JudgementDocument = {
    ...shared,
    _id: judgementId(id, 1),
    submission: id,
    state: "PENDING",
    ...firstDispatch(deps, { place: { language: kind, lane: checked.lane }, unfinished, now }),
    delivery: 0,
    seq: 0,
    change: 0,
    tries: [],
    updatedAt: at,
  };
  const [files] = await Promise.all([
    Promise.all(
      checked.files.map(async ({ name, content }): Promise<WorkFile> => ({
        name,
        sha256: await store.blobs.put(content),
        sizeBytes: content.length,
      })),
    ),
    store.judgements.insert(judgement),
  ]);
  deps.crash("intake.afterJudgement");
  const submission: WorkDocument = {
    ...shared,
    _id: id,
    idempotencyKey: given.idempotencyKey ?? `docket:${randomUUID()}`,
    contentHash: contentHashOf(checked),
    input: checked.input,
    files,
  };
  if ((await store.submissions.insert(submission)) === "taken") {
    await store.judgements.removeUntouched(judgement._id);
    return await replay(deps, submission);
  }
  deps.crash("intake.afterInsert");
  // The views of work ask isWork before they look at what only a submission has.
  const snapshot = { submission: submission as unknown as SubmissionDocument, judgement };
  await sendFirst(deps, snapshot);
  return { type: "accepted", snapshot, replayed: false };
}

/** As `submit`: once "accepted", it is stored on a majority and will be done. Only throws for faults of ours. */
export async function submitWork(deps: SubmitWorkDeps, given: SubmitWorkInput): Promise<SubmitOutcome> {
  const outcome = await within(STORE_WAIT_MS, checkAndStore(deps, given), unavailable);
  deps.measures.answered(outcome);
  return outcome;
}

async function checkAndStore(deps: SubmitWorkDeps, given: SubmitWorkInput): Promise<SubmitOutcome> {
  try {
    const checked = check(deps, given);
    if ("type" in checked) return checked;
    const { owner, role, idempotencyKey } = given;
    return await withPlace(
      deps,
      { place: { language: checked.workload.name, lane: checked.lane }, owner, role },
      {
        replayed: async () => {
          if (idempotencyKey === undefined) return undefined;
          if ((await deps.store.submissions.byKey(owner, idempotencyKey)) === undefined) return undefined;
          return await replay(deps, { owner, idempotencyKey, contentHash: contentHashOf(checked) });
        },
        store: (place) => accept(deps, given, checked, place),
      },
    );
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.warn({ err: error }, "could not store work");
    return unavailable();
  }
}
