import { rmSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { UsableLanguage } from "../../../src/executors/judge/compiler.ts";
import { faultOf } from "../../../src/executors/judge/faults.ts";
import { SandboxFault } from "../../../src/executors/sandbox/sandbox.ts";
import { BlobFault } from "../../../src/executors/work.ts";
import type { LanguageId } from "../../../src/shared/language.ts";
import { type Judging, openJudging } from "./harness.ts";
import { PROGRAMS } from "./programs.ts";
import { findLanguages, type FoundLanguages } from "./toolchains.ts";

let judging: Judging;
let languages: FoundLanguages;
/** The C toolchain that the judge sees, to be broken in the midst of things. */
let compiler: readonly [string, ...string[]] | undefined;

function usable(id: LanguageId): UsableLanguage | undefined {
  const found = languages.usable(id);
  if (found === undefined || compiler === undefined) return found;
  const command = compiler;
  return { ...found, definition: { ...found.definition, compile: () => command } };
}

beforeAll(async () => {
  languages = await findLanguages(["c"]);
  judging = await openJudging({ usable, mounts: languages.mounts });
}, 60_000);
afterAll(async () => await judging.close());

const plain = { language: "c", source: PROGRAMS.c.AC } as const;

test("a blob that is not to be had is a fault of a shared part, and the same job runs when it is back", async () => {
  const source = `${plain.source}\n// lost`;
  const job = judging.jobOf({ ...plain, source });
  rmSync(judging.blobPath(source));
  expect(await judging.run(job)).toMatchObject({
    type: "fault",
    fault: { code: "BLOB_UNAVAILABLE", retry: true, shared: true },
  });
  judging.jobOf({ ...plain, source });
  expect(await judging.run(job)).toMatchObject({ type: "finished", result: { verdict: "AC" } });
});

test("a test's input that is not to be had, too", async () => {
  const job = judging.jobOf({ ...plain, tests: [{ input: "input, lost", answer: "2" }] });
  rmSync(judging.blobPath("input, lost"));
  expect(await judging.run(job)).toMatchObject({ type: "fault", fault: { code: "BLOB_UNAVAILABLE" } });
  expect(judging.pins()).toBe(0);
});

test("a language that is not offered here may be elsewhere", async () => {
  expect(await judging.outcome({ ...plain, language: "java" })).toMatchObject({
    type: "fault",
    fault: { code: "LANGUAGE_NOT_OFFERED", retry: true, shared: false },
  });
});

test.each(["../main.c", "/etc/main.c", "-o.c", "a/../b.c", ".hidden.c", "a b.c", "", "a//b.c"])(
  "the file name %j is refused",
  async (name) => {
    expect(await judging.outcome({ ...plain, source: { [name]: plain.source } })).toMatchObject({
      type: "fault",
      fault: { code: "JOB_MALFORMED", retry: false },
    });
  },
);

test("a payload or manifest that is none is refused for good", async () => {
  const job = judging.jobOf(plain);
  expect(await judging.run({ ...job, payload: { language: "c" } })).toMatchObject({
    fault: { code: "JOB_MALFORMED", retry: false },
  });
  const payload = judging.jobOf({ ...plain, source: "no manifest" }).payload as {
    files: { sha256: string }[];
  };
  expect(
    await judging.run({ ...job, payload: { ...payload, problem: "p", manifest: payload.files[0]?.sha256 } }),
  ).toMatchObject({ fault: { code: "JOB_MALFORMED", retry: false } });
});

test.each<[string, readonly [string, ...string[]]]>([
  ["refuses everything", ["/bin/false"]],
  ["is missing", ["/usr/bin/gcc-0"]],
  ["crashes", ["/bin/sh", "-c", "kill -SEGV $$"]],
  // As gcc says it when a part of its installation has gone.
  [
    "lacks cc1",
    ["/usr/bin/gcc", "-B/nowhere/", "-no-canonical-prefixes", "-o", "program", "main.c", "-specs=/nowhere"],
  ],
  ["fills what it may write", ["/bin/sh", "-c", "cat /dev/zero >/tmp/x; exit 1"]],
])("a compiler that %s is broken: no compile error", async (how, command) => {
  // It worked a moment ago.
  expect(await judging.judge({ ...plain, source: `${plain.source}\n// before ${how}` })).toMatchObject({
    verdict: "AC",
  });
  compiler = command;
  try {
    const outcome = await judging.outcome({ ...plain, source: `${plain.source}\n// ${how}` });
    if (outcome.type !== "fault") throw new Error(JSON.stringify(outcome));
    expect(["TOOLCHAIN_BROKEN", "SANDBOX_FAILED"]).toContain(outcome.fault.code);
    expect(outcome.fault).toMatchObject({ retry: true, shared: false });
  } finally {
    compiler = undefined;
  }
});

test("a compiler that crashes on one program only makes a compile error of it", async () => {
  compiler = ["/bin/sh", "-c", "grep -q unlucky main.c && kill -SEGV $$; exec gcc -o program main.c -lm"];
  try {
    const outcome = await judging.outcome({ ...plain, source: `${plain.source}\n// unlucky` });
    expect(outcome).toMatchObject({
      type: "finished",
      result: { verdict: "CE", compile: { message: expect.stringContaining("crashed") } },
    });
  } finally {
    compiler = undefined;
  }
});

test("what an error means", () => {
  const disk = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
  expect(faultOf(disk)).toMatchObject({ code: "DISK_FULL", shared: true, retry: true });
  expect(faultOf(new SandboxFault("no", { cause: disk }))).toMatchObject({ code: "DISK_FULL", shared: true });
  expect(faultOf(new SandboxFault("no"))).toMatchObject({
    code: "SANDBOX_FAILED",
    shared: false,
    retry: true,
  });
  expect(faultOf(new SandboxFault("too busy", { shared: true }))).toMatchObject({
    shared: true,
    retry: true,
  });
  expect(faultOf(new BlobFault("BLOB_CORRUPT", "no", false))).toMatchObject({
    code: "BLOB_CORRUPT",
    shared: false,
  });
  const bug = new TypeError("undefined is not a function");
  expect(() => faultOf(bug)).toThrow(bug);
});

// Last: it takes the sandbox away.
test("a sandbox whose launcher has gone is a fault", async () => {
  await judging.native.close();
  expect(await judging.outcome(plain)).toMatchObject({
    type: "fault",
    fault: { code: "SANDBOX_FAILED", retry: true },
  });
});
