import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findLeak, ownFault } from "../../fuzz/leaks.ts";
import { fuzz } from "../../fuzz/run.ts";

it("knows our insides when it sees them, and not what the client itself said", () => {
  expect(findLeak("TypeError: x.map is not a function", "")).toContain("TypeError");
  expect(findLeak("at run (file:///work/main/src/server/app.ts:3:4)", "")).toBeDefined();
  expect(findLeak("E11000 duplicate key", "")).toBeDefined();
  expect(findLeak('There is no problem "mongo".', "mongo")).toBeUndefined();
  expect(findLeak("There is nothing at /graph.", "")).toBeUndefined();
  expect(ownFault(200, '{"errors":[{"extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}')).toBe(true);
  expect(ownFault(404, "{}")).toBe(false);
  const busy = (why: string) => `{"message":"Busy${why}.","extensions":{"code":"SERVICE_UNAVAILABLE"}}`;
  expect(ownFault(503, busy(" (limit importsAtOnce)"))).toBe(false);
  expect(ownFault(503, busy(""))).toBe(true);
});

it("stands 2,000 inputs of all kinds without a crash, a hang or a leak", { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "docket-fuzz-"));
  const told: string[] = [];
  try {
    const report = await fuzz({ inputs: 2_000, seed: 7, folder, tell: (line) => told.push(line) });
    expect(report, told.join("\n")).toMatchObject({ inputs: 2_000, crashes: 0, hangs: 0, leaks: 0 });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
