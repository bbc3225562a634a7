import { MongoClient } from "mongodb";
import { type Clock, systemClock } from "../../shared/clock.ts";
import { DEFAULT_LIMITS } from "../../shared/limits.ts";
import type { Evicted } from "../../shared/recent.ts";
import { type Admission, createAdmission } from "./admission.ts";
import type { ProblemId } from "../../shared/ids.ts";
import { type ApiKeys, createApiKeys } from "./apikeys.ts";
import { gridFsBytes } from "./blobbytes.ts";
import { createBlobs } from "./blobledger.ts";
import type { BlobStore } from "./blobs.ts";
import { type Contests, createContests } from "./contests.ts";
import { createDeadLetters, type DeadLetters } from "./deadletters.ts";
import { createDeliveries, type Deliveries } from "./deliveries.ts";
import type { JudgementDocument, SubmissionDocument } from "./documents.ts";
import { createHeld, type Held } from "./held.ts";
import { createJudgements, type Judgements } from "./judgements.ts";
import { createLeases, type Leases } from "./leases.ts";
import { createPauses, type Pauses } from "./pauses.ts";
import { createPoolSettings, type PoolSettingsStore } from "./poolsettings.ts";
import { createProblems, type Problems } from "./problems.ts";
import { createRejected, type Rejected } from "./rejected.ts";
import { createRejudged, type Rejudged } from "./rejudged.ts";
import { createRejudges, type RejudgeDocument, type Rejudges } from "./rejudges.ts";
import { createServiceTimes, type ServiceTimes } from "./servicetimes.ts";
import { createSnapshots, type Snapshots } from "./snapshots.ts";
import { createSubmissions, type Submissions } from "./submissions.ts";
import { guarded, isRefused } from "./unavailable.ts";
import { createWebhookStore, type Webhooks } from "./webhooks.ts";

/** All of Docket's state that must survive. Methods throw StoreUnavailable when the database is out of reach. */
export interface Store {
  readonly submissions: Submissions;
  readonly judgements: Judgements;
  readonly held: Held;
  readonly serviceTimes: ServiceTimes;
  readonly admission: Admission;
  readonly snapshots: Snapshots;
  readonly deadLetters: DeadLetters;
  readonly blobs: BlobStore;
  readonly problems: Problems;
  readonly contests: Contests;
  readonly pauses: Pauses;
  readonly problemPauses: Pauses<ProblemId>;
  readonly poolSettings: PoolSettingsStore;
  readonly apiKeys: ApiKeys;
  readonly leases: Leases;
  readonly rejected: Rejected;
  readonly rejudges: Rejudges;
  readonly rejudged: Rejudged;
  readonly webhooks: Webhooks;
  readonly deliveries: Deliveries;
  /** Throws StoreUnavailable when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface StoreAccess {
  readonly url: string;
  readonly database: string;
  readonly clock?: Clock | undefined;
  /** Hears of what made room in bounded memories. */
  readonly evicted?: Evicted | undefined;
  /** Limit `rejectedMessages`; left out: its default. */
  readonly rejectedMessages?: number | undefined;
  /**
   * Milliseconds. A write waits so long to be confirmed by a majority, an operation for a free connection, and half as
   * long (2.5 s at most) for a server to be found; on a connection that has gone silent it takes twice as long, and the
   * driver tries most operations a second time. So one operation can take four to five times as long at the very worst:
   * who has to answer sooner sets a limit of its own (intake/submit.ts).
   */
  readonly timeoutMs?: number | undefined;
}

/** Raised at start when the database cannot carry Docket until somebody changes something; the message says what. */
export class StoreUnfit extends Error {
  override readonly name = "StoreUnfit";
}

/**
 * Connects, asserts a replica set and makes the indexes. Throws StoreUnavailable when nothing answers and
 * StoreUnfit when the address is none, the user is refused, or the database is not a replica set.
 */
export async function openStore(access: StoreAccess): Promise<Store> {
  const timeoutMs = access.timeoutMs ?? 5_000;
  const client = createClient(access.url, timeoutMs);
  try {
    const hello = await guarded(() => client.db("admin").command({ hello: 1 }));
    if (typeof hello["setName"] !== "string" && hello["msg"] !== "isdbgrid") {
      throw new StoreUnfit(
        "MongoDB must run as a replica set (a single node is enough): start mongod with --replSet and run rs.initiate()",
      );
    }
    const db = client.db(access.database);
    const submissions = db.collection<SubmissionDocument>("submissions");
    const judgements = db.collection<JudgementDocument>("judgements");
    const rejudges = db.collection<RejudgeDocument>("rejudges");
    const blobs = await createBlobs({
      collection: db.collection("blobs"),
      bytes: gridFsBytes(db),
      clock: access.clock ?? systemClock,
      evicted: access.evicted ?? (() => undefined),
    });
    return {
      submissions: await createSubmissions(submissions),
      judgements: await createJudgements(judgements),
      held: await createHeld(judgements),
      serviceTimes: await createServiceTimes(db.collection("serviceTimes")),
      admission: createAdmission({ allowances: db.collection("allowances"), judgements, submissions }),
      snapshots: createSnapshots({ submissions, judgements }),
      deadLetters: await createDeadLetters({ submissions, judgements }),
      blobs,
      problems: createProblems({ collection: db.collection("problems"), blobs }),
      pauses: createPauses(db.collection("pauses")),
      problemPauses: createPauses(db.collection("problemPauses")),
      poolSettings: createPoolSettings(db.collection("poolSettings")),
      contests: createContests(db.collection("contests")),
      apiKeys: createApiKeys(db.collection("apiKeys")),
      leases: createLeases(db.collection("leases")),
      rejected: await createRejected(db, access.rejectedMessages ?? DEFAULT_LIMITS.rejectedMessages),
      rejudges: await createRejudges(rejudges),
      rejudged: await createRejudged({ client, rejudges, submissions, judgements }),
      webhooks: await createWebhookStore(db.collection("webhooks")),
      deliveries: await createDeliveries({ collection: db.collection("deliveries"), judgements }),
      ping: () =>
        guarded(async () => {
          await client.db("admin").command({ ping: 1 });
        }),
      close: () => client.close(),
    };
  } catch (error) {
    await client.close();
    throw isRefused(error)
      ? new StoreUnfit(`MongoDB refuses the user of its address: ${error.message}`)
      : error;
  }
}

function createClient(url: string, timeoutMs: number): MongoClient {
  try {
    return new MongoClient(url, {
      appName: "docket",
      writeConcern: { w: "majority", journal: true, wtimeoutMS: timeoutMs },
      readConcern: { level: "majority" },
      serverSelectionTimeoutMS: Math.min(timeoutMs, 2_500),
      connectTimeoutMS: timeoutMs,
      socketTimeoutMS: timeoutMs * 2,
      waitQueueTimeoutMS: timeoutMs,
      maxPoolSize: 64,
      ignoreUndefined: true,
    });
  } catch (error) {
    // It connects to nothing yet: all that can be wrong is the address.
    const why = error instanceof Error ? error.message : String(error);
    throw new StoreUnfit(`the address of MongoDB is not usable: ${why}`);
  }
}
