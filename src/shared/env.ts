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
  throw new EnvironmentError(parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`));
}

/** A whole number from the environment; `unit` only documents. */
export const envInt = (fallback: number, min = 0): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().min(min).default(fallback);
