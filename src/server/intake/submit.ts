import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ContestId, judgementId, type ProblemId, type Sha256 } from "../../shared/ids.ts";
import { JUDGE_KIND, type SourceFile } from "../../shared/judging.ts";
import { within } from "../../shared/within.ts";
import type {
  ContestDocument,
  JudgementDocument,
  ProblemDocument,
  SubmissionDocument,
} from "../store/documents.ts";
import { StoreUnavailable } from "../store/unavailable.ts";
import {
  type CheckDeps,
  type CheckedInput,
  checkAgainstProblem,
  checkInput,
  problemNotFound,
} from "./check.ts";
import { checkContest, type OpenContest } from "./contest.ts";
import { firstDispatch, type FirstDispatchDeps, sendFirst } from "./firstdispatch.ts";
import { refuse, type SubmitInput, type SubmitOutcome } from "./outcome.ts";
import type { OutboxDeps } from "./outbox.ts";
import { type GivenPlace, withPlace, type WithPlaceDeps } from "./withplace.ts";

export interface SubmitDeps extends CheckDeps, OutboxDeps, FirstDispatchDeps, WithPlaceDeps {
  readonly store: OutboxDeps["store"] & { readonly blobs: { put(content: Uint8Array): Promise<Sha256> } };
  readonly findProblem: (id: ProblemId) => Promise<ProblemDocument | undefined>;
  readonly findContest: (id: ContestId) => Promise<OpenContest | undefined>;
  /** There is something for the outbox. */
  readonly wakeOutbox: () => void;
}

const RETRY_AFTER_MS = 1_000;
/** The answer does not wait longer for the database; what it does later is harmless, or found by the same key. */
export const STORE_WAIT_MS = 8_000;
/** Another request with the same key has won but is not yet confirmed by a majority: wait so long for it. */
const RIVAL_WAIT_MS = 2_000;
const RIVAL_LOOK_MS = 20;

const contentHashOf = (
  checked: CheckedInput,
  files: readonly SourceFile[],
  entryPoint: string | undefined,
): Sha256 =>
  createHash("sha256")
    .update(
      JSON.stringify([
        checked.problem,
        // A problem that needs a device since then leaves a repeated request the same.
        checked.asked,
        entryPoint ?? null,
        files.map((file) => [file.name, file.sha256]),
        ...(checked.contest === undefined ? [] : [checked.contest]),
      ]),
    )
    .digest("hex") as Sha256;

/** The same key was used before: the same submission, when the content is the same. */
export async function replay(
  deps: Pick<SubmitDeps, "store" | "clock">,
  wanted: Pick<SubmissionDocument, "owner" | "idempotencyKey" | "contentHash">,
): Promise<SubmitOutcome> {
  const until = deps.clock.now() + RIVAL_WAIT_MS;
  for (;;) {
    const first = await deps.store.submissions.byKey(wanted.owner, wanted.idempotencyKey);
    if (first?.contentHash === wanted.contentHash) {
      const judgement = await deps.store.judgements.get(judgementId(first._id, first.generation));
      if (judgement) return { type: "accepted", snapshot: { submission: first, judgement }, replayed: true };
    } else if (first) {
      return refuse(
        "IDEMPOTENCY_CONFLICT",
        `The idempotency key was used for submission ${first._id} with another content; take a new key for a new submission.`,
      );
    }
    if (deps.clock.now() > until) return unavailable();
    await sleep(RIVAL_LOOK_MS);
  }
}

export const unavailable = (): SubmitOutcome =>
  refuse(
    "SERVICE_UNAVAILABLE",
    "The database cannot be reached just now; send the same again, best with the same idempotency key.",
    { retryAfterMs: RETRY_AFTER_MS },
  );

function accept(
  deps: SubmitDeps,
  input: SubmitInput,
  checked: CheckedInput,
  { problem, contest }: { readonly problem: ProblemDocument; readonly contest: ContestDocument | undefined },
): Promise<SubmitOutcome> {
  const { owner, role } = input;
  const { language, lane } = checked;
  return withPlace(
    deps,
    { place: { language, lane }, owner, role, contest },
    {
      replayed: () => replayed(deps, input, checked),
      store: (place) => storeAndSend(deps, { input, checked, problem, place }),
    },
  );
}

/** A refused submission whose key was used before is no new one: it costs nothing and is not refused. */
async function replayed(
  deps: SubmitDeps,
  { owner, idempotencyKey, entryPoint }: SubmitInput,
  checked: CheckedInput,
): Promise<SubmitOutcome | undefined> {
  if (idempotencyKey === undefined) return undefined;
  if ((await deps.store.submissions.byKey(owner, idempotencyKey)) === undefined) return undefined;
  const files = checked.files.map(({ name, content }) => ({
    name,
    sha256: createHash("sha256").update(content).digest("hex") as Sha256,
    sizeBytes: content.length,
  }));
  return await replay(deps, {
    owner,
    idempotencyKey,
    contentHash: contentHashOf(checked, files, entryPoint),
  });
}

async function storeAndSend(
  deps: SubmitDeps,
  given: {
    readonly input: SubmitInput;
    readonly checked: CheckedInput;
    readonly problem: ProblemDocument;
    readonly place: GivenPlace;
  },
): Promise<SubmitOutcome> {
  const { input, checked, problem } = given;
  const { id, now, unfinished } = given.place;
  const { store, crash } = deps;
  const { language, lane } = checked;
  const at = new Date(now);
  const judgement: JudgementDocument = {
    _id: judgementId(id, 1),
    submission: id,
    generation: 1,
    kind: JUDGE_KIND,
    owner: input.owner,
    problem: checked.problem,
    language,
    lane,
    ...(checked.contest === undefined ? {} : { contest: checked.contest }),
    state: "PENDING",
    ...firstDispatch(deps, { place: { language, lane }, problem: checked.problem, unfinished, now }),
    delivery: 0,
    seq: 0,
    change: 0,
    tries: [],
    createdAt: at,
    updatedAt: at,
  };
  // The submission comes last and is what makes all of it be: see outbox.ts for a judgement without one, and
  // collection for blobs without one.
  const [hashes] = await Promise.all([
    Promise.all(checked.files.map((file) => store.blobs.put(file.content))),
    store.judgements.insert(judgement),
  ]);
  crash("intake.afterJudgement");
  const files = checked.files.flatMap(({ name, content }, i): SourceFile[] => {
    const sha256 = hashes[i];
    return sha256 === undefined ? [] : [{ name, sha256, sizeBytes: content.length }];
  });
  const submission: SubmissionDocument = {
    _id: id,
    owner: input.owner,
    idempotencyKey: input.idempotencyKey ?? `docket:${randomUUID()}`,
    contentHash: contentHashOf(checked, files, input.entryPoint),
    kind: JUDGE_KIND,
    problem: checked.problem,
    manifest: problem.manifest,
    language,
    files,
    ...(input.entryPoint === undefined ? {} : { entryPoint: input.entryPoint }),
    ...(input.allTests === true ? { allTests: true } : {}),
    lane,
    ...(checked.contest === undefined ? {} : { contest: checked.contest }),
    generation: 1,
    createdAt: at,
  };
  const outcome = await store.submissions.insert(submission);
  if (outcome === "taken") {
    await store.judgements.removeUntouched(judgement._id);
    return await replay(deps, submission);
  }
  crash("intake.afterInsert");
  const snapshot = { submission, judgement };
  await sendFirst(deps, snapshot);
  return { type: "accepted", snapshot, replayed: false };
}

/**
 * Takes in a submission. When the outcome is "accepted" it is stored on a majority and will be judged, whatever
 * dies; the answer's state is PENDING, and its job is usually in the queue. Only throws for faults of ours.
 */
export async function submit(deps: SubmitDeps, input: SubmitInput): Promise<SubmitOutcome> {
  const started = performance.now();
  const outcome = await within(STORE_WAIT_MS, checkAndStore(deps, input), unavailable);
  deps.measures.answered(outcome);
  if (outcome.type === "accepted") deps.measures.submitSeconds.observe((performance.now() - started) / 1000);
  return outcome;
}

async function checkAndStore(deps: SubmitDeps, input: SubmitInput): Promise<SubmitOutcome> {
  try {
    const given = checkInput(deps, input);
    if ("type" in given) return given;
    const [problem, contest] = await Promise.all([
      deps.findProblem(given.problem),
      checkContest(deps, input),
    ]);
    if (problem === undefined) return problemNotFound(given.problem);
    const checked = checkAgainstProblem(deps, given, problem);
    if ("type" in checked) return checked;
    if (contest === undefined) return await accept(deps, input, checked, { problem, contest });
    const inContest = { ...checked, contest: ContestId.parse(input.contest) };
    // What was taken in time is told again for ever.
    if ("type" in contest) return (await replayed(deps, input, inContest)) ?? contest;
    return await accept(deps, input, inContest, { problem, contest });
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.warn({ err: error }, "could not store a submission");
    return unavailable();
  }
}
