import type { CodedError } from "../../shared/errors.ts";

/** What a mutation answers to whoever is not of the jury; `what` begins the sentence, e.g. "Pools". */
export const notJury = (what: string) =>
  ({
    code: "FORBIDDEN",
    message: `${what} are the jury's: use a key with the role jury.`,
  }) as const satisfies CodedError;

/** Options of a field that is null to everybody but the jury. */
export const juryOnly = {
  authScopes: { jury: true },
  nullable: true,
  unauthorizedResolver: () => null,
} as const;
