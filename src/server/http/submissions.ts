import type { IncomingMessage, ServerResponse } from "node:http";
import type { Wait } from "../intake/outcome.ts";
import { isFinal, type SubmissionSnapshot } from "../store/documents.ts";
import type { Limits } from "../../shared/limits.ts";
import { SubmissionId } from "../../shared/ids.ts";
import type { Log } from "../../shared/log.ts";
import type { Viewer } from "../auth.ts";
import type { Backbone } from "../backbone.ts";
import type { Refused } from "../overflow.ts";
import type { Store } from "../store/store.ts";
import { maySee, type SubmissionView, viewOf } from "../submissionview.ts";
import { submitAs } from "../submitas.ts";
import { readBody, sendJson, sendProblem } from "./answer.ts";
import type { ConnectionCounts } from "./connections.ts";
import type { Exchange } from "./server.ts";
import { SubmissionRequest, submissionResource } from "./resources.ts";

/** The thin face for clients without GraphQL: hand in, then ask (and wait) for what came of it. */
export interface SubmissionsDeps {
  readonly store: Pick<Store, "snapshots">;
  readonly backbone: Pick<Backbone, "submit" | "feed" | "waitOf">;
  readonly limits: Limits;
  readonly refused: Refused;
  readonly connections: ConnectionCounts;
  readonly log: Log;
  /** Aborted when the server stops: ends the waiting. */
  readonly stopping: AbortSignal;
}

const parseJson = (bytes: Buffer): unknown => {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
};

/** `POST /submissions`: 202 with the address to ask at. */
export async function postSubmission(
  deps: SubmissionsDeps,
  viewer: Viewer,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!/^application\/json\b/i.test(request.headers["content-type"] ?? "")) {
    sendProblem(response, {
      code: "MEDIA_TYPE_UNSUPPORTED",
      message: "Send JSON: Content-Type: application/json.",
    });
    return;
  }
  const bytes = await readBody(request, deps.limits.requestBytes);
  if (bytes === undefined) {
    deps.refused("requestBytes");
    const message = `The body is larger than ${deps.limits.requestBytes} bytes (limit requestBytes).`;
    sendProblem(response, { code: "REQUEST_TOO_LARGE", message }, { Connection: "close" });
    return;
  }
  const json = parseJson(bytes);
  if (json === undefined) {
    sendProblem(response, { code: "INPUT_INVALID", message: "The body is not JSON in UTF-8." });
    return;
  }
  const parsed = SubmissionRequest.safeParse(json);
  if (!parsed.success) {
    const message = parsed.error.issues
      .map(
        (issue) =>
          `${issue.path.join(".") || "body"}: ${issue.message.replace(", received undefined", "; it is missing")}`,
      )
      .join("; ");
    sendProblem(response, { code: "INPUT_INVALID", message });
    return;
  }
  const idempotencyKey = request.headers["idempotency-key"]?.toString();
  const outcome = await submitAs(deps, viewer, { ...parsed.data, idempotencyKey });
  if (outcome.type === "refused") {
    sendProblem(response, outcome);
    return;
  }
  const { submission } = outcome.snapshot;
  const wait = await waitOf(deps, outcome.snapshot);
  sendJson(response, 202, submissionResource(viewOf(outcome.snapshot), { viewer, wait }), {
    Location: `/submissions/${submission._id}`,
    "Idempotency-Key": submission.idempotencyKey,
    ...(outcome.delayedFeedback === true ? { "Docket-Delayed-Feedback": "true" } : {}),
  });
}

/** Accepted is accepted: where it stands is not worth an error. */
const waitOf = (
  { backbone }: SubmissionsDeps,
  { judgement }: SubmissionSnapshot,
): Promise<Wait | undefined> => backbone.waitOf(judgement).catch(() => undefined);

async function find(deps: SubmissionsDeps, viewer: Viewer, id: string): Promise<SubmissionView | undefined> {
  const parsed = SubmissionId.safeParse(id);
  if (!parsed.success) return undefined;
  const snapshot = await deps.store.snapshots.get(parsed.data);
  return snapshot !== undefined && maySee(viewer, snapshot) ? viewOf(snapshot) : undefined;
}

/** Returns when there is a state newer than `revision`, after `waitMs`, or when client or server go. */
async function waitForNewer(
  deps: SubmissionsDeps,
  input: { readonly id: SubmissionId; readonly revision: number; readonly waitMs: number },
  response: ServerResponse,
): Promise<void> {
  const updates = deps.backbone.feed.watch(input.id, input.revision);
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const stop = (): void => resolve();
  const timer = setTimeout(stop, input.waitMs);
  response.once("close", stop);
  deps.stopping.addEventListener("abort", stop);
  try {
    await Promise.race([updates.next(), over]);
  } finally {
    clearTimeout(timer);
    deps.stopping.removeEventListener("abort", stop);
    await updates.return?.();
  }
}

/**
 * `GET /submissions/{id}`: the ETag is the revision. With `afterRevision` and `waitMs` it waits so long for a state
 * that is newer, and answers the current one when there is none.
 */
export async function getSubmission(
  deps: SubmissionsDeps,
  viewer: Viewer,
  { request, response, query, waits }: Exchange,
  wanted: string,
): Promise<void> {
  const { connectionsPerOwner, longPollMs } = deps.limits;
  const waitMs = Number(query.get("waitMs") ?? 0);
  const afterRevision = Number(query.get("afterRevision") ?? -1);
  if (!Number.isInteger(waitMs) || waitMs < 0 || waitMs > longPollMs || !Number.isInteger(afterRevision)) {
    const message = `afterRevision must be a whole number, waitMs one from 0 to ${longPollMs} (limit longPollMs).`;
    sendProblem(response, { code: "INPUT_INVALID", message });
    return;
  }
  let view = await find(deps, viewer, wanted);
  if (view === undefined) {
    const message = `There is no submission ${wanted} that you may see.`;
    sendProblem(response, { code: "SUBMISSION_NOT_FOUND", message });
    return;
  }
  if (waitMs > 0 && view.revision <= afterRevision && !isFinal(view.snapshot.judgement.state)) {
    const release = deps.connections.take(viewer.owner);
    if (release === undefined) {
      const message = `You hold ${connectionsPerOwner} connections already (limit connectionsPerOwner).`;
      sendProblem(response, { code: "TOO_MANY_CONNECTIONS", message, retryAfterMs: 5_000 });
      return;
    }
    waits();
    const id = view.snapshot.submission._id;
    await waitForNewer(deps, { id, revision: afterRevision, waitMs }, response).finally(release);
    view = (await find(deps, viewer, id)) ?? view;
  }
  const headers = { ETag: `"${view.revision}"`, "Cache-Control": "private, no-cache" };
  if (request.headers["if-none-match"] === headers.ETag) {
    response.writeHead(304, headers).end();
    return;
  }
  sendJson(
    response,
    200,
    submissionResource(view, { viewer, wait: await waitOf(deps, view.snapshot) }),
    headers,
  );
}
