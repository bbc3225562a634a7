import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { emptyPipe } from "../../../src/executors/judge/pair.ts";

test("one that writes as fast as it is read is read for a while only", () => {
  const folder = mkdtempSync(join(tmpdir(), "docket-pair-"));
  const path = join(folder, "much");
  writeFileSync(path, Buffer.alloc(2 * 1024 * 1024));
  const fd = openSync(path, "r");
  try {
    emptyPipe(fd);
    expect(readSync(fd, Buffer.alloc(1))).toBe(1);
  } finally {
    closeSync(fd);
    rmSync(folder, { recursive: true });
  }
});
