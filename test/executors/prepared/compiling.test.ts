import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, it } from "vitest";
import { preparedFolder } from "../../../src/executors/prepared/folder.ts";
import { startPreparing } from "../../../src/executors/prepared/preparing.ts";
import { findLanguages, type FoundLanguage } from "../../../src/executors/selftest.ts";
import { createLog } from "../../../src/shared/log.ts";
import { type Judging, openJudging } from "../judge/harness.ts";

let folder: string;
let cpp: FoundLanguage | undefined;
/** Where its headers are. */
let prepared: string;
let judging: Judging | undefined;
let cleaner: ChildProcessByStdio<Writable, null, null>;
const registry = new Registry();

/** As an executor starts, but that here the preparer is waited for. */
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "docket-prepared-")));
  chmodSync(folder, 0o755);
  // What root has made stays root's when this process is root no more: whoever removes it is started before.
  cleaner = spawn("/bin/sh", ["-c", 'cat; rm -rf "$0"', folder], { stdio: ["pipe", "ignore", "inherit"] });
  const cacheDir = join(folder, "cache");
  mkdirSync(cacheDir);
  const { found } = await findLanguages(["cpp"], {
    path: process.env["PATH"],
    node: process.execPath,
    cacheDir,
  });
  cpp = found.find(({ id }) => id === "cpp");
  const wanted = cpp?.toolchain.prepared ?? [];
  const log = createLog("preparing", "silent");
  const preparing = startPreparing({ registry, log }, { cacheDir, maxBytes: 2 ** 30, wanted });
  await preparing.done;
  expect(await registry.metrics()).toContain('lookups_total{name="cpp",result="miss"} 1');
  if (cpp === undefined || wanted[0] === undefined) throw new Error("no g++ here");
  prepared = preparedFolder(cacheDir, wanted[0]);
  // One that has a word in it that the real header has not.
  writeFileSync(join(folder, "marked.h"), "#include <cstdio>\n#define IS_PRECOMPILED\n");
  const compile = ["-O2", "-std=gnu++20", "-x", "c++-header", "marked.h", "-o", join(prepared, "cstdio.gch")];
  execFileSync(cpp.toolchain.programs["g++"] ?? "g++", compile, { cwd: folder });
  writeFileSync(join(prepared, "cstdio"), "#include_next <cstdio>\n");
  judging = await openJudging({
    usable: (id) => (id === "cpp" ? cpp : undefined),
    mounts: cpp?.toolchain.mounts ?? [],
  });
}, 300_000);
afterAll(async () => {
  await judging?.close();
  const gone = new Promise((resolve) => cleaner.once("close", resolve));
  cleaner.stdin.end();
  await gone;
});

const SUM = "long n; std::cin >> n; std::cout << n + 1 << std::endl;";
async function judge(source: string) {
  if (judging === undefined) throw new Error("not opened");
  return await judging.judge({ language: "cpp", source, limits: { timeMs: 5_000 } });
}

it.each([
  ["the header", ""],
  ["a macro that changes it", "#define _GLIBCXX_DEBUG\n"],
  ["optimisation by pragma", '#pragma GCC optimize("O3,unroll-loops")\n#pragma GCC target("avx2")\n'],
  ["something else first", "#include <vector>\n"],
  ["another prepared one first", "#include <iostream>\n"],
  ["itself twice", "#include <bits/stdc++.h>\n#include <iostream>\n"],
  ["another twice", "#include <iostream>\n#include <vector>\n#include <iostream>\n"],
])("a program that includes %s is judged as without", async (_, before) => {
  const result = await judge(`${before}#include <bits/stdc++.h>\nint main() { ${SUM} }\n`);
  expect([result.verdict, result.compile?.message]).toEqual(["AC", ""]);
});

it("a precompiled header is what the compiler takes", async () => {
  const main = `#ifndef IS_PRECOMPILED\n#error read as text\n#endif\n#include <iostream>\nint main() { ${SUM} }\n`;
  const taken = await judge(`#include <cstdio>\n${main}`);
  expect([taken.compile?.message, taken.verdict]).toEqual(["", "AC"]);
  // Not the first header: then it cannot be.
  const { verdict, compile } = await judge(`#include <vector>\n#include <cstdio>\n${main}`);
  expect([verdict, compile?.message]).toEqual(["CE", expect.stringContaining("read as text")]);
});

it("no program and no compiler can write where the next one reads", async () => {
  const file = join(prepared, "iostream.gch");
  const before = statSync(file);
  const result = await judge(`#include <bits/stdc++.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
int main() {
  const char *file = "/opt/prepared/cpp/iostream.gch", *other = "/opt/prepared/cpp/other.gch";
  if (access(file, R_OK) != 0) return 9;
  int worked = open(file, O_WRONLY) >= 0;
  worked += open(other, O_CREAT | O_WRONLY, 0644) >= 0;
  worked += unlink(file) == 0;
  worked += rename(file, other) == 0;
  worked += mkdir("/opt/prepared/cpp/x", 0755) == 0;
  worked += chmod(file, 0777) == 0;
  if (worked > 0) return 8;
  ${SUM}
}
`);
  expect(result.tests.map((report) => [report.verdict, report.exit])).toEqual([["AC", undefined]]);
  expect(statSync(file)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs, uid: 0 });
});
