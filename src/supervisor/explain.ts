import { StoreUnavailable } from "../server/store/unavailable.ts";
import { StoreUnfit } from "../server/store/store.ts";
import { EnvironmentError } from "../shared/env.ts";
import { EXIT } from "../shared/lifecycle.ts";
import { DataFolderTaken } from "./datafolder.ts";
import { PoolConfigError } from "./pools.ts";
import { PreflightError } from "./preflight.ts";
import { NotReady } from "./readyprocess.ts";
import { NothingWorks } from "./showexamples.ts";
import { StoppedEarly } from "./stopping.ts";

/** What to tell a person about a start that failed, and the exit code. */
export function explain(error: unknown): { readonly message: string; readonly code: number } {
  if (error instanceof DataFolderTaken) {
    return {
      message:
        `${error.message}.\n` +
        "  Use that one, stop it (Ctrl-C where it runs), or set DOCKET_DATA to another folder.",
      code: EXIT.config,
    };
  }
  if (error instanceof StoreUnavailable || error instanceof StoreUnfit) {
    return {
      message:
        `MongoDB cannot be used: ${error.message}.\n` +
        "  Check MONGODB_URL, or leave it unset, and Docket starts a mongod of its own.",
      code: EXIT.config,
    };
  }
  if (error instanceof StoppedEarly)
    return { message: "It was stopped before it was ready.", code: EXIT.forced };
  if (error instanceof NotReady) {
    return { message: error.message, code: error.code === EXIT.config ? EXIT.config : EXIT.failed };
  }
  if (
    error instanceof PreflightError ||
    error instanceof NothingWorks ||
    error instanceof PoolConfigError ||
    error instanceof EnvironmentError
  ) {
    return { message: error.message, code: EXIT.config };
  }
  if (error instanceof Error) {
    const cause = error.cause instanceof Error ? `\n  ${error.cause.message}` : "";
    return { message: `${error.message}${cause}`, code: EXIT.failed };
  }
  return { message: String(error), code: EXIT.failed };
}
