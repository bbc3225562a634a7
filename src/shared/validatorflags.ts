/** How the format's default output validator compares; parsed from its command line flags. */
export interface ValidatorFlags {
  readonly caseSensitive: boolean;
  readonly spaceChangeSensitive: boolean;
  /** Undefined: tokens are never read as numbers on this account. */
  readonly absoluteTolerance: number | undefined;
  readonly relativeTolerance: number | undefined;
}

export type ValidatorFlagsResult =
  | { readonly ok: true; readonly flags: ValidatorFlags }
  /** `message` names the flag and says what was expected. */
  | { readonly ok: false; readonly message: string };

const KNOWN =
  "case_sensitive, space_change_sensitive, float_tolerance E, float_relative_tolerance E, float_absolute_tolerance E";

/** A tolerance as the format writes it: a decimal number, not negative. Undefined for anything else. */
function tolerance(text: string | undefined): number | undefined {
  if (text === undefined || !/^\+?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/**
 * Flags of the default output validator of the Kattis/ICPC problem package format. A later tolerance replaces an
 * earlier one of the same sort. Source: problem package format, "Default Output Validator Specification".
 */
export function parseValidatorFlags(args: readonly string[]): ValidatorFlagsResult {
  let caseSensitive = false;
  let spaceChangeSensitive = false;
  let absoluteTolerance: number | undefined;
  let relativeTolerance: number | undefined;
  for (let i = 0; i < args.length; i++) {
    const flag = args[i] ?? "";
    switch (flag) {
      case "case_sensitive":
        caseSensitive = true;
        break;
      case "space_change_sensitive":
        spaceChangeSensitive = true;
        break;
      case "float_tolerance":
      case "float_relative_tolerance":
      case "float_absolute_tolerance": {
        i += 1;
        const value = tolerance(args[i]);
        if (value === undefined) {
          return {
            ok: false,
            message: `${flag} needs a number that is not negative after it, got ${JSON.stringify(args[i] ?? "nothing")}`,
          };
        }
        if (flag !== "float_absolute_tolerance") relativeTolerance = value;
        if (flag !== "float_relative_tolerance") absoluteTolerance = value;
        break;
      }
      default:
        return {
          ok: false,
          message: `unknown flag ${JSON.stringify(flag)} of the default output validator; known are ${KNOWN}`,
        };
    }
  }
  return { ok: true, flags: { caseSensitive, spaceChangeSensitive, absoluteTolerance, relativeTolerance } };
}
