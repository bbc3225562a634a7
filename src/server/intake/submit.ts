import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { judgementId, newSubmissionId, type ProblemId, type Sha256 } from "../../shared/ids.ts";
import { JUDGE_KIND, type SourceFile } from "../../shared/judging.ts";
import { within } from "../../shared/within.ts";
import type {
  JudgementDocument,
  ProblemDocument,
  SubmissionDocument,
  SubmissionSnapshot,
} from "../store/documents.ts";
import { StoreUnavailable } from "../store/unavailable.ts";
import {
  type CheckDeps,
  type CheckedInput,
  checkAgainstProblem,
  checkInput,
  problemNotFound,
} from "./check.ts";
import { publishJob } from "./dispatch.ts";
import { refuse, type SubmitInput, type SubmitOutcome } from "./outcome.ts";
import { HOLD_MS, type OutboxDeps } from "./outbox.ts";

export interface SubmitDeps extends CheckDeps, OutboxDeps {
  readonly store: OutboxDeps["store"] & { readonly blobs: { put(content: Uint8Array): Promise<Sha256> } };
  readonly findProblem: (id: ProblemId) => Promise<ProblemDocument | undefined>;
  /** There is something for the outbox. */
  readonly wakeOutbox: () => void;
}

/** The answer does not wait longer for the broker, milliseconds: past it the submission is just PENDING. */
const PUBLISH_WAIT_MS = 500;
const RETRY_AFTER_MS = 1_000;
/** The answer does not wait longer for the database; what it does later is harmless, or found by the same key. */
const STORE_WAIT_MS = 8_000;
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
        checked.language,
        entryPoint ?? null,
        files.map((file) => [file.name, file.sha256]),
      ]),
    )
    .digest("hex") as Sha256;

/** The same key was used before: the same submission, when the content is the same. */
async function replay(deps: SubmitDeps, wanted: SubmissionDocument): Promise<SubmitOutcome> {
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

const unavailable = (): SubmitOutcome =>
  refuse(
    "SERVICE_UNAVAILABLE",
    "The database cannot be reached just now; send the same again, best with the same idempotency key.",
    { retryAfterMs: RETRY_AFTER_MS },
  );

/** Tries to publish within the request; what fails or takes too long is the outbox's. */
async function publishNow(deps: SubmitDeps, { submission, judgement }: SubmissionSnapshot): Promise<void> {
  const published = publishJob(deps, judgement, submission).then(
    () => deps.queued.mark(judgement),
    (error: unknown) => {
      deps.measures.dispatched.inc({ outcome: "failed" });
      deps.log.warn({ err: error, submission: submission._id }, "could not publish at once; the outbox will");
    },
  );
  await within(PUBLISH_WAIT_MS, published, () => undefined);
}

async function accept(
  deps: SubmitDeps,
  input: SubmitInput,
  checked: CheckedInput,
  problem: ProblemDocument,
): Promise<SubmitOutcome> {
  const { store, clock, link, window, crash } = deps;
  const { language, lane } = checked;
  const now = clock.now();
  const at = new Date(now);
  const id = newSubmissionId(now);
  // The insert is the first raise of `dispatch`: no write more when it can be published at once. It is held for
  // this request; when this process dies, the outbox of any server publishes it.
  const room = window.room(language, lane) > 0;
  const atOnce = link.connected() && room && !window.behind(language, lane);
  if (!room) window.setBehind(language, lane, true);
  const judgement: JudgementDocument = {
    _id: judgementId(id, 1),
    submission: id,
    generation: 1,
    kind: JUDGE_KIND,
    owner: input.owner,
    problem: checked.problem,
    language,
    lane,
    state: "PENDING",
    dispatch: atOnce ? 1 : 0,
    delivery: 0,
    seq: 0,
    dispatchAfter: atOnce ? new Date(now + HOLD_MS) : at,
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
    lane,
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
  if (atOnce) await publishNow(deps, snapshot);
  else deps.wakeOutbox();
  return { type: "accepted", snapshot, replayed: false };
}

/**
 * Takes in a submission. When the outcome is "accepted" it is stored on a majority and will be judged, whatever
 * dies; the answer's state is PENDING, and its job is usually in the queue. Only throws for faults of ours.
 */
export async function submit(deps: SubmitDeps, input: SubmitInput): Promise<SubmitOutcome> {
  const started = performance.now();
  const outcome = await within(STORE_WAIT_MS, checkAndStore(deps, input), unavailable);
  if (outcome.type === "refused") deps.measures.submitted.inc({ outcome: outcome.code });
  else {
    deps.measures.submitted.inc({ outcome: outcome.replayed ? "replayed" : "accepted" });
    deps.measures.submitSeconds.observe((performance.now() - started) / 1000);
  }
  return outcome;
}

async function checkAndStore(deps: SubmitDeps, input: SubmitInput): Promise<SubmitOutcome> {
  try {
    const checked = checkInput(deps, input);
    if ("type" in checked) return checked;
    const problem = await deps.findProblem(checked.problem);
    if (problem === undefined) return problemNotFound(checked.problem);
    return checkAgainstProblem(checked, problem) ?? (await accept(deps, input, checked, problem));
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    deps.log.warn({ err: error }, "could not store a submission");
    return unavailable();
  }
}
