import type { DataFolder } from "./datafolder.ts";
import type { Identity } from "./identity.ts";
import type { ProcessEvent } from "./keepalive.ts";
import type { LogFolder } from "./logfolder.ts";
import type { UidBlock } from "./uidblock.ts";
import type { Watchdog } from "./watchdog.ts";

/** What starting a process of a stack takes. */
export interface StackDeps {
  readonly data: DataFolder;
  readonly identity: Identity;
  /** Undefined when not root: everything then runs under our own user. */
  readonly block: UidBlock | undefined;
  readonly logs: LogFolder;
  readonly watchdog: Watchdog;
  readonly tell: (event: ProcessEvent) => void;
  /** Aborted: what is starting is stopped. */
  readonly signal: AbortSignal;
}
