import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type CapabilityClaims, readCapability } from "../../shared/capability.ts";
import { judgementId, type JudgementId, Sha256, submissionOf } from "../../shared/ids.ts";
import { ProblemManifest } from "../../shared/judging.ts";
import { createRecent, type Evicted, type MemoryName } from "../../shared/recent.ts";
import type { Store } from "../store/store.ts";
import { sendProblem } from "./answer.ts";

/** `GET /blobs/<sha256>` for executors: a job's capability opens the blobs of that job and no others. */
export interface BlobsDeps {
  readonly store: Pick<Store, "submissions" | "judgements" | "blobs">;
  readonly capabilitySecret: string;
  readonly evicted: Evicted;
}

/** `load` with a memory of its last answers; what was not there or failed is asked again. */
function remember<Key, Value>(
  evicted: Evicted,
  name: MemoryName,
  load: (key: Key) => Promise<Value | undefined>,
) {
  const known = createRecent<Key, Promise<Value | undefined>>(name, evicted);
  return (key: Key): Promise<Value | undefined> => {
    const remembered = known.get(key);
    if (remembered !== undefined) return remembered;
    const loading = load(key);
    known.set(key, loading);
    const forget = (): void => known.delete(key);
    loading.then((value) => (value === undefined ? forget() : undefined), forget);
    return loading;
  };
}

type Allows = (claims: CapabilityClaims, sha256: Sha256) => Promise<boolean>;

/** All blobs that a manifest names: what judging with it needs. */
function namedBy(manifest: ProblemManifest): ReadonlySet<Sha256> {
  const { tests, validator, checker, include = {} } = manifest;
  const programs = [validator, checker].flatMap((one) => (one?.type === "custom" ? one.files : []));
  const files = [...programs, ...Object.values(include).flat(), ...tests.flatMap((test) => test.files ?? [])];
  return new Set([
    ...tests.flatMap(({ input, answer }) => [input, answer]),
    ...files.map(({ sha256 }) => sha256),
  ]);
}

/**
 * A blob is allowed when the claims name it, or when the claims name the manifest that is judged by and that names it.
 * Only that of the judgement or its submission counts as one: a source file that looks like a manifest opens nothing.
 */
function createAllows({ store, evicted }: BlobsDeps): Allows {
  // By judgement: judged again, it can be by a newer manifest than the submission's, as in a rejudge until it is applied.
  const manifestOf = remember(evicted, "rememberedVersions", async (id: JudgementId) => {
    const [judgement, submission] = await Promise.all([
      store.judgements.get(id),
      store.submissions.get(submissionOf(id)),
    ]);
    return judgement?.manifest ?? submission?.manifest;
  });
  // A manifest never changes.
  const namesIn = remember(evicted, "rememberedManifests", async (manifest: Sha256) => {
    const bytes = await store.blobs.read(manifest);
    if (bytes === undefined) return undefined;
    return namedBy(ProblemManifest.parse(JSON.parse(new TextDecoder().decode(bytes))));
  });
  return async (claims, sha256) => {
    if (claims.blobs.includes(sha256)) return true;
    const manifest = await manifestOf(judgementId(claims.submission, claims.generation));
    if (manifest === undefined || !claims.blobs.includes(manifest)) return false;
    return (await namesIn(manifest))?.has(sha256) ?? false;
  };
}

export function createBlobRoute(deps: BlobsDeps) {
  const allows = createAllows(deps);
  return async (request: IncomingMessage, response: ServerResponse, name: string): Promise<void> => {
    const capability = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "")?.[1];
    const claims = capability === undefined ? undefined : readCapability(deps.capabilitySecret, capability);
    if (claims === undefined) {
      const message =
        "Blobs are for executors: send a job's capability as Authorization: Bearer <capability>.";
      sendProblem(response, { code: "UNAUTHENTICATED", message });
      return;
    }
    const sha256 = Sha256.safeParse(name);
    if (!sha256.success) {
      sendProblem(response, { code: "NOT_FOUND", message: "A blob's name is 64 lower-case hex digits." });
      return;
    }
    if (!(await allows(claims, sha256.data))) {
      sendProblem(response, { code: "FORBIDDEN", message: "This capability does not open this blob." });
      return;
    }
    const blob = await deps.store.blobs.open(sha256.data);
    if (blob === undefined) {
      sendProblem(response, { code: "NOT_FOUND", message: `There is no blob ${sha256.data}.` });
      return;
    }
    response.writeHead(200, {
      "Content-Type": "application/octet-stream",
      "Content-Length": blob.sizeBytes,
      "Cache-Control": "private, max-age=31536000, immutable",
      ETag: `"${sha256.data}"`,
    });
    await pipeline(blob.stream, response);
  };
}
