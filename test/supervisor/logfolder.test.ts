import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openLogFolder } from "../../src/supervisor/logfolder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-logs-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const lines = async (name: string): Promise<string[]> =>
  (await readFile(join(folder, name), "utf8")).trimEnd().split("\n");

test("a log is put aside at logBytes, in one long life, too; every line is in one of the two files", async () => {
  const heard: string[] = [];
  // Ten lines of ten bytes.
  const logs = await openLogFolder({ logBytes: 100, onLine: (_, line) => heard.push(line) }, folder);
  const write = await logs.writer("server");
  for (let n = 0; n < 25; n++) write(`line ${String(n).padStart(4, "0")}`);
  await logs.close();
  expect(await lines("server.log.1")).toHaveLength(10);
  expect((await lines("server.log.1"))[0]).toBe("line 0010");
  expect(await lines("server.log")).toEqual([
    "line 0020",
    "line 0021",
    "line 0022",
    "line 0023",
    "line 0024",
  ]);
  expect(heard).toHaveLength(25);
  expect(await readdir(folder)).toHaveLength(2);
});

test("what an earlier life wrote counts, and a line longer than a file is still a line", async () => {
  await writeFile(join(folder, "mongod.log"), "x".repeat(95));
  const logs = await openLogFolder({ logBytes: 100, onLine: undefined }, folder);
  const write = await logs.writer("mongod");
  write("y".repeat(200));
  write("z");
  await logs.close();
  expect(await lines("mongod.log")).toEqual(["z"]);
  expect(await lines("mongod.log.1")).toEqual(["y".repeat(200)]);
});
