/**
 * Something that keeps a command from doing its work, in words that say what to do. Ends the command with EXIT_TROUBLE
 * and without a stack trace.
 */
export class CliTrouble extends Error {
  override readonly name: string = "CliTrouble";
}

/** Nothing answers at the server's address, or the answer broke off. */
export class ServerUnreachable extends CliTrouble {
  override readonly name = "ServerUnreachable";
  /** Nobody listens there, so nothing was sent; false: the request may have been heard. */
  readonly unheard: boolean;
  constructor(message: string, unheard: boolean) {
    super(message);
    this.unheard = unheard;
  }
}

/** The API refused a request: its code and its own words. */
export class ApiRefusal extends CliTrouble {
  override readonly name = "ApiRefusal";
  readonly code: string;
  readonly retryAfterMs: number | undefined;
  constructor(code: string, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A directory that cannot be sent as a problem package. */
export class PackageTrouble extends CliTrouble {
  override readonly name = "PackageTrouble";
}

/** Ctrl-C or SIGTERM ended the command. */
export class Interrupted extends CliTrouble {
  override readonly name = "Interrupted";
}

/** Exit codes of every command; documented in docs/cli.md. */
export const CLI_EXIT = {
  ok: 0,
  /** The command did its work and the outcome is not the good one: another verdict than AC, a miss. */
  otherwise: 1,
  /** Wrong usage, no server, no permission, a package or program refused. */
  trouble: 2,
  interrupted: 130,
} as const;
