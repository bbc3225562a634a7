import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { goodPackage, tarGz, zip, zipOf } from "./archives.ts";
import { collectImports, lines } from "./importing.ts";

const good = Object.entries(goodPackage()).map(([name, content]) => ({ name: `echo/${name}`, content }));

it.each([
  ["leads out of the package", "echo/../../etc/cron.d/x"],
  ["leads out of the package", "../x"],
  ["is absolute", "/etc/passwd"],
  ["is absolute", "C:/windows/x"],
  ["contains a backslash", "echo\\..\\x"],
  ["contains a NUL character", "echo/a\0b"],
])("a name that %s is refused (%j)", async (why, name) => {
  const archives = [zip([...good, { name, content: "x" }])];
  if (!name.includes("\0")) archives.push(tarGz([...good, { name, content: "x" }]));
  for (const archive of archives) {
    const errors = lines(await collectImports().run(archive), "error");
    expect(errors).toEqual([expect.stringContaining(`the name ${why}`)]);
  }
});

it("links and devices are refused", async () => {
  const inZip = zip([...good, { name: "echo/data/secret/9.in", content: "/etc/passwd", mode: 0o120777 }]);
  expect(lines(await collectImports().run(inZip), "error")).toEqual([
    "echo/data/secret/9.in links are not taken in archives",
  ]);
  const inTar = tarGz([
    ...good,
    { name: "echo/a", type: "2" },
    { name: "echo/b", type: "1" },
    { name: "echo/c", type: "3" },
  ]);
  expect(lines(await collectImports().run(inTar), "error")).toEqual([
    "echo/a links are not taken in archives",
    "echo/b links are not taken in archives",
    "echo/c not an ordinary file or directory",
  ]);
});

it("the same name twice is refused, also as file and folder", async () => {
  const archive = zip([
    ...good,
    { name: "echo/problem.yaml", content: "name: b" },
    { name: "echo/problem.yaml/x", content: "" },
  ]);
  expect(lines(await collectImports().run(archive), "error")).toEqual([
    "echo/problem.yaml the archive holds this name twice",
    "echo/problem.yaml/x the archive holds this name twice",
  ]);
});

it("an odd name is ignored with a warning", async () => {
  const result = await collectImports().run(
    zip([...good, { name: "echo/data/secret/größe.in", content: "x" }]),
  );
  expect(result.type).toBe("imported");
  expect(lines(result, "warning")).toEqual([
    expect.stringContaining("ignored: the format does not allow this name"),
  ]);
});

it("a bomb stops at the limit, whatever its headers claim", async () => {
  const zeros = Buffer.alloc(4 * 1024 * 1024);
  const limits = { packageUnpackedBytes: 1024 * 1024 };
  for (const archive of [
    zip([...good, { name: "echo/bomb", content: zeros }]),
    tarGz([...good, { name: "echo/bomb", content: zeros }]),
    tarGz([...good, { name: "echo/.hidden", content: zeros }]),
  ]) {
    expect(archive.length).toBeLessThan(20_000);
    const errors = lines(await collectImports(limits).run(archive), "error");
    expect(errors).toEqual([" the archive unpacks to more than 1048576 bytes"]);
  }
  const liar = zip([...good, { name: "echo/bomb", content: zeros, claimedBytes: 10 }]);
  expect(lines(await collectImports(limits).run(liar), "error")).toEqual([
    expect.stringContaining("the archive is damaged"),
  ]);
});

it("too many files, too large an archive, too many tests", async () => {
  const errors = async (limits: Record<string, number>): Promise<string[]> =>
    lines(await collectImports(limits).run(zipOf(goodPackage())), "error");
  expect(await errors({ packageFileBytes: 100 })).toEqual([" echo/problem.yaml has more than 100 bytes"]);
  expect(await errors({ packageFiles: 5 })).toEqual([" the archive holds more than 5 files"]);
  expect(await errors({ packageBytes: 100 })).toEqual([
    expect.stringMatching(/^ the archive has \d+ bytes$/),
  ]);
  expect(await errors({ problemTests: 2 })).toEqual(["data there are 3 tests"]);
});

it.each([
  ["nothing", Buffer.alloc(0)],
  ["some text", Buffer.from("hello")],
  ["a zip cut short", zipOf(goodPackage()).subarray(0, 300)],
  ["a tar cut short", gzipSync(Buffer.from("x".repeat(700)))],
  ["a gzip cut short", tarGz(good).subarray(0, 200)],
  ["a zip without a package", zip([{ name: "readme.txt", content: "x" }])],
  ["two packages", zip([...good, { name: "other/problem.yaml", content: "name: b" }])],
])("%s is refused without a throw", async (_what, archive) => {
  const result = await collectImports().run(archive);
  expect(result.type).toBe("refused");
  expect(lines(result, "error")).toHaveLength(1);
});

it("bytes that changed on the way are noticed", async () => {
  const archive = zip(good);
  const at = archive.indexOf("submissions/accepted/echo.py") + "submissions/accepted/echo.py".length + 2;
  archive.writeUInt8(archive.readUInt8(at) ^ 0x10, at);
  expect((await collectImports().run(archive)).type).toBe("refused");
  const packed = tarGz(good);
  packed.writeUInt8(packed.readUInt8(packed.length - 6) ^ 1, packed.length - 6);
  expect(lines(await collectImports().run(packed), "error")).toEqual([
    expect.stringContaining("the archive is damaged"),
  ]);
});

it("no damage whatever makes it throw, or store what is not right", async () => {
  const archives = [zip(good), tarGz(good)];
  const damage = fc.record({
    which: fc.nat(1),
    cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 }),
    flips: fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 255 })), {
      maxLength: 4,
    }),
  });
  await fc.assert(
    fc.asyncProperty(damage, async ({ which, cut, flips }) => {
      const bytes = Buffer.from(archives[which] ?? "");
      for (const [where, bits] of flips) {
        const at = Math.min(bytes.length - 1, Math.floor(where * bytes.length));
        bytes.writeUInt8(bytes.readUInt8(at) ^ bits, at);
      }
      const imports = collectImports();
      const result = await imports.run(
        bytes.subarray(0, cut === null ? bytes.length : Math.floor(cut * bytes.length)),
      );
      if (result.type === "refused") expect(imports.problems.size).toBe(0);
      else for (const sha256 of result.problem.blobs) expect(imports.blobs.has(sha256)).toBe(true);
    }),
    { numRuns: 150 },
  );
});

it("encrypted files and unknown compression are refused by name", async () => {
  const archive = zip([
    ...good,
    { name: "echo/a", content: "x", flags: 1 },
    { name: "echo/b", content: "x", method: 99 },
  ]);
  expect(lines(await collectImports().run(archive), "error")).toEqual([
    "echo/a the file is encrypted",
    "echo/b compression method 99 is not supported",
  ]);
});

it("leaves no temporary folder behind", async () => {
  const folder = await mkdtemp(join(tmpdir(), "docket-test-"));
  try {
    const imports = collectImports({}, folder);
    expect((await imports.run(zipOf(goodPackage()))).type).toBe("imported");
    expect((await imports.run(zip([{ name: "../x", content: "x" }]))).type).toBe("refused");
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});
