import { mkdtemp, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { afterEach, beforeEach, expect, it } from "vitest";
import { packDirectory } from "../../src/cli/pack.ts";
import { readTar } from "../../src/server/problems/tar.ts";
import { writeFiles } from "./packages.ts";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "docket-test-")), "echo");
});
afterEach(() => rm(join(folder, ".."), { recursive: true }));

async function unpack(bytes: Uint8Array): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const entry of readTar(Readable.from([Buffer.from(bytes)]).pipe(createGunzip()))) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry.content) chunks.push(chunk);
    files[entry.name] = Buffer.concat(chunks).toString();
  }
  return files;
}

it("packs files by name, long names too, and the same bytes each time", async () => {
  const long = `data/secret/${"deep-".repeat(30)}1.in`;
  await writeFiles(folder, { "problem.yaml": "name: x\n", [long]: "1\n", "data/secret/e.in": "" });
  const packed = await packDirectory(folder);
  expect(packed.name).toBe("echo.tar.gz");
  expect(await unpack(packed.bytes)).toEqual({
    "echo/problem.yaml": "name: x\n",
    [`echo/${long}`]: "1\n",
    "echo/data/secret/e.in": "",
  });
  expect(Buffer.from((await packDirectory(folder)).bytes)).toEqual(Buffer.from(packed.bytes));
});

it("leaves out hidden files but the time limit", async () => {
  await writeFiles(folder, {
    "problem.yaml": "x\n",
    ".timelimit": "1\n",
    ".git/config": "x",
    ".secret": "x",
  });
  expect(Object.keys(await unpack((await packDirectory(folder)).bytes)).toSorted()).toEqual([
    "echo/.timelimit",
    "echo/problem.yaml",
  ]);
});

it("follows links inside the package and refuses those out of it or in a circle", async () => {
  await writeFiles(folder, { "problem.yaml": "x\n", "data/secret/1.in": "one\n" });
  await symlink("1.in", join(folder, "data/secret/2.in"));
  await symlink("secret", join(folder, "data/sample"));
  expect(await unpack((await packDirectory(folder)).bytes)).toMatchObject({
    "echo/data/secret/2.in": "one\n",
    "echo/data/sample/1.in": "one\n",
  });
  await symlink("/etc/hostname", join(folder, "data/secret/3.in"));
  await expect(packDirectory(folder)).rejects.toThrow(/3\.in is a link out of the package/);
  await rm(join(folder, "data/secret/3.in"));
  await symlink("..", join(folder, "data/again"));
  await expect(packDirectory(folder)).rejects.toThrow(/leads back to itself/);
});

it("says what is no package", async () => {
  await writeFiles(folder, { "readme.txt": "x" });
  await expect(packDirectory(folder)).rejects.toThrow(/holds no problem.yaml/);
});
