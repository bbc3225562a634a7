import type { Clock } from "../../shared/clock.ts";
import type { Limits } from "../../shared/limits.ts";
import type { Log } from "../../shared/log.ts";
import type { Viewer } from "../auth.ts";
import type { Backbone } from "../backbone.ts";
import type { Places } from "../http/places.ts";
import type { ImportInput, ImportResult } from "../problems/importpackage.ts";
import type { ProblemDocument } from "../store/documents.ts";
import type { Store } from "../store/store.ts";

/** What the resolvers need of the server; the same for every operation. */
export interface GraphQLDeps {
  readonly log: Log;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly store: Pick<
    Store,
    | "contests"
    | "pauses"
    | "problemPauses"
    | "poolSettings"
    | "held"
    | "snapshots"
    | "judgements"
    | "deadLetters"
    | "rejected"
    | "rejudges"
    | "rejudged"
    | "webhooks"
    | "deliveries"
    | "problems"
    | "blobs"
  >;
  readonly backbone: Pick<
    Backbone,
    | "submit"
    | "submitWork"
    | "runCode"
    | "feed"
    | "cancel"
    | "redrive"
    | "redriveMany"
    | "discard"
    | "createRejudge"
    | "applyRejudge"
    | "cancelRejudge"
    | "webhooks"
    | "queues"
    | "pools"
    | "waitOf"
    | "executors"
    | "poolChanged"
    | "reinstate"
    | "languages"
  >;
  /** Places of package imports. */
  readonly imports: Places;
  readonly importPackage: (input: ImportInput) => Promise<ImportResult>;
}

/** What a resolver has: one for each operation. */
export interface Context extends GraphQLDeps {
  /** Undefined without a key. A wrong key gets no context: it is refused at the door. */
  readonly viewer: Viewer | undefined;
  /** False once the key has been revoked or has expired. */
  stillAllowed(): Promise<boolean>;
  /** Each problem is read once for an operation. */
  findProblem(id: string): Promise<ProblemDocument | undefined>;
}
