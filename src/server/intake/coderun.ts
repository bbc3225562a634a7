import { createHash, randomUUID } from "node:crypto";
import {
  CODE_RUN_COMPILING,
  CODE_RUN_KIND,
  CodeRunInput,
  type CodeRunPayload,
  CodeRunResult,
} from "../../shared/coderun.ts";
import { judgementId, type Sha256 } from "../../shared/ids.ts";
import { LanguageId } from "../../shared/language.ts";
import { within } from "../../shared/within.ts";
import {
  isWork,
  type JudgementDocument,
  type Role,
  type SubmissionDocument,
  type WorkDocument,
} from "../store/documents.ts";
import { StoreUnavailable } from "../store/unavailable.ts";
import { checkOffered, checkProgram, type GivenProgram } from "./check.ts";
import { firstDispatch, sendFirst } from "./firstdispatch.ts";
import { JOB_MARGIN_MS, STEP_FACTOR, TEST_MARGIN_MS, WALL_FACTOR } from "./judgework.ts";
import { passed, refuse, type SubmitOutcome } from "./outcome.ts";
import { replay, STORE_WAIT_MS, type SubmitDeps, unavailable } from "./submit.ts";
import { withPlace } from "./withplace.ts";
import type { WorkKind } from "./work.ts";

/** A program to be run on its owner's own input, not yet checked. */
export interface RunCodeInput extends GivenProgram {
  readonly owner: string;
  readonly role: Role;
  /** Standard input; undefined: nothing. */
  readonly stdin: Uint8Array | undefined;
}

const LANE = "custom";
/** Its judgement is removed so much later, milliseconds: far above the time between two of MongoDB's own rounds. */
const JUDGEMENT_KEEP_MS = 600_000;

/** The server's half of the kind of work "run". */
export const codeRunWork: WorkKind = {
  kind: CODE_RUN_KIND,
  payload: (handedIn): CodeRunPayload => {
    const { language, files, input } = asCodeRun(handedIn);
    return { ...input, language, files: [...files] };
  },
  blobs: (handedIn) => {
    const { files, input } = asCodeRun(handedIn);
    return [...files.map(({ sha256 }) => sha256), ...(input.stdin === undefined ? [] : [input.stdin.sha256])];
  },
  isResult: (result, final) => {
    const parsed = CodeRunResult.safeParse(result);
    return parsed.success && (!final || parsed.data.outcome !== undefined);
  },
  deadlineMs: (handedIn) => {
    const { timeMs } = asCodeRun(handedIn).input.limits;
    const compileMs = CODE_RUN_COMPILING.compilationTimeMs * STEP_FACTOR;
    return Promise.resolve(JOB_MARGIN_MS + compileMs + TEST_MARGIN_MS + timeMs * WALL_FACTOR);
  },
};

/** What is stored of a run, read with its schema. Throws for anything else. */
function asCodeRun(handedIn: SubmissionDocument | WorkDocument) {
  if (!isWork(handedIn) || handedIn.kind !== CODE_RUN_KIND) throw new Error(`${handedIn._id} is no code run`);
  const { files } = handedIn;
  return { language: LanguageId.parse(handedIn.language), files, input: CodeRunInput.parse(handedIn.input) };
}

/**
 * Takes in a run as `submit` takes in a submission, with the same allowance of its owner: once "accepted", it is stored
 * on a majority and will be done. Only throws for faults of ours.
 */
export async function runCode(deps: SubmitDeps, given: RunCodeInput): Promise<SubmitOutcome> {
  const outcome = await within(STORE_WAIT_MS, checkAndStore(deps, given), unavailable);
  deps.measures.answered(outcome);
  return outcome;
}

async function checkAndStore(deps: SubmitDeps, given: RunCodeInput): Promise<SubmitOutcome> {
  try {
    const { limits } = deps;
    const program = checkProgram(deps, given);
    if ("type" in program) return program;
    const nobody = checkOffered(deps, program.language);
    if (nobody !== undefined) return nobody;
    const stdinBytes = given.stdin?.length ?? 0;
    if (stdinBytes > limits.codeRunInputBytes) {
      const message = `The input has ${stdinBytes} bytes; at most ${limits.codeRunInputBytes} are taken.`;
      return refuse("SOURCE_TOO_LARGE", message, passed(limits, "codeRunInputBytes"));
    }
    return await accept(deps, given, program);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.warn({ err: error }, "could not store a code run");
    return unavailable();
  }
}

const sha256Of = (content: Uint8Array | string): Sha256 =>
  createHash("sha256").update(content).digest("hex") as Sha256;

function contentHashOf({ entryPoint, stdin }: RunCodeInput, { language, files }: Program): Sha256 {
  const hashes = files.map(({ name, content }) => [name, sha256Of(content)]);
  return sha256Of(
    JSON.stringify([CODE_RUN_KIND, language, entryPoint ?? null, sha256Of(stdin ?? ""), hashes]),
  );
}

type Program = Exclude<ReturnType<typeof checkProgram>, { readonly type: "refused" }>;

async function accept(deps: SubmitDeps, given: RunCodeInput, program: Program): Promise<SubmitOutcome> {
  const { owner, role, idempotencyKey } = given;
  const contentHash = contentHashOf(given, program);
  return await withPlace(
    deps,
    { place: { language: program.language, lane: LANE }, owner, role },
    {
      replayed: async () => {
        if (idempotencyKey === undefined) return undefined;
        if ((await deps.store.submissions.byKey(owner, idempotencyKey)) === undefined) return undefined;
        return await replay(deps, { owner, idempotencyKey, contentHash });
      },
      store: (place) => store(deps, given, { program, contentHash, ...place }),
    },
  );
}

async function store(
  deps: SubmitDeps,
  given: RunCodeInput,
  what: {
    readonly program: Program;
    readonly contentHash: Sha256;
    readonly id: SubmissionDocument["_id"];
    readonly now: number;
    readonly unfinished: number;
  },
): Promise<SubmitOutcome> {
  const { limits, store: stored } = deps;
  const { program, contentHash, id, now, unfinished } = what;
  const at = new Date(now);
  const shared = {
    kind: CODE_RUN_KIND,
    owner: given.owner,
    language: program.language,
    lane: LANE,
    generation: 1,
    createdAt: at,
  } as const;
  const judgement: JudgementDocument = {
    ...shared,
    _id: judgementId(id, 1),
    submission: id,
    state: "PENDING",
    ...firstDispatch(deps, { place: { language: program.language, lane: LANE }, unfinished, now }),
    delivery: 0,
    seq: 0,
    change: 0,
    tries: [],
    updatedAt: at,
    expiresAt: new Date(now + limits.codeRunKeepMs + JUDGEMENT_KEEP_MS),
  };
  // In the order in which submit stores, for the same reasons.
  const put = async (content: Uint8Array) => ({
    sha256: await stored.blobs.put(content),
    sizeBytes: content.length,
  });
  const [files, stdin] = await Promise.all([
    Promise.all(program.files.map(async ({ name, content }) => ({ name, ...(await put(content)) }))),
    given.stdin === undefined ? undefined : put(given.stdin),
    stored.judgements.insert(judgement),
  ]);
  deps.crash("intake.afterJudgement");
  const input: CodeRunInput = {
    ...(given.entryPoint === undefined ? {} : { entryPoint: given.entryPoint }),
    ...(stdin === undefined ? {} : { stdin }),
    limits: {
      timeMs: limits.codeRunTimeMs,
      memoryMiB: limits.codeRunMemoryMiB,
      outputKiB: limits.codeRunOutputKiB,
      shownBytes: limits.codeRunShownBytes,
    },
  };
  const work: WorkDocument = {
    ...shared,
    _id: id,
    idempotencyKey: given.idempotencyKey ?? `docket:${randomUUID()}`,
    contentHash,
    input,
    files,
    expiresAt: new Date(now + limits.codeRunKeepMs),
  };
  if ((await stored.submissions.insert(work)) === "taken") {
    await stored.judgements.removeUntouched(judgement._id);
    return await replay(deps, work);
  }
  deps.crash("intake.afterInsert");
  // The views of work ask isWork before they look at what only a submission has.
  const snapshot = { submission: work as unknown as SubmissionDocument, judgement };
  await sendFirst(deps, snapshot);
  return { type: "accepted", snapshot, replayed: false };
}
