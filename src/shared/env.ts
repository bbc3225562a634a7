import { z } from "zod";

/** Raised at start-up with every wrong variable in one message. */
export class EnvironmentError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`The environment is not usable:\n${problems.map((p) => `  ${p}`).join("\n")}`);
    this.name = "EnvironmentError";
    this.problems = problems;
  }
}

/**
 * Reads the environment once against a zod object whose keys are variable names.
 * An empty string counts as unset. Throws EnvironmentError listing all problems together.
 */
export function readEnv<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  env: NodeJS.ProcessEnv,
): z.infer<z.ZodObject<Shape>> {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new EnvironmentError(
    parsed.error.issues.map((issue) => {
      const name = issue.path.join(".");
      return `${name}: ${inWords(issue, given[name])}`;
    }),
  );
}

/** A value is shown only where a number was expected: others may be secrets. */
function inWords(issue: z.core.$ZodIssue, value: string | undefined): string {
  if (value === undefined && issue.code === "invalid_type") return "must be set";
  if (issue.code === "invalid_type" && issue.expected === "number" && Number.isNaN(Number(value)))
    return `expected a number, not ${JSON.stringify(value)}`;
  return issue.message;
}

/** A whole number from the environment; `unit` only documents. */
export const envInt = (fallback: number, min = 0): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().min(min).default(fallback);

/** Items separated by commas; none is an empty list. */
export const envList = <Item extends z.ZodType<string, string>>(item: Item) =>
  z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter((part) => part !== ""),
    )
    .pipe(z.array(item));
