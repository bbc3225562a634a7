import { expect, test } from "vitest";
import { z } from "zod";
import { envInt, readEnv } from "../../src/shared/env.ts";

const Schema = z.object({
  PORT: envInt(1),
  SLOTS: z.coerce.number().int().min(1),
  SECRET: z.string().min(8, "at least 8 characters"),
  URL: z.string(),
});

const problemsOf = (env: NodeJS.ProcessEnv): string => {
  try {
    return JSON.stringify(readEnv(Schema, env));
  } catch (error) {
    return String(error);
  }
};

test("all problems are told together, in words of the person who set the variables, and no secret is shown", () => {
  const told = problemsOf({ PORT: "abc", SECRET: "hunter2", URL: "" });
  expect(told).toContain('PORT: expected a number, not "abc"');
  expect(told).toContain("SLOTS: must be set");
  expect(told).toContain("SECRET: at least 8 characters");
  expect(told).toContain("URL: must be set");
  expect(told).not.toMatch(/NaN|undefined|hunter2/);
});

test("an empty variable counts as unset", () => {
  expect(readEnv(Schema, { PORT: "", SLOTS: "2", SECRET: "long enough", URL: "x" }).PORT).toBe(1);
});
