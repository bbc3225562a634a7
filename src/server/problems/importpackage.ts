import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../shared/clock.ts";
import { ProblemId } from "../../shared/ids.ts";
import { ProblemManifest } from "../../shared/judging.ts";
import type { Limits } from "../../shared/limits.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { ProblemDocument } from "../store/documents.ts";
import type { Problems } from "../store/problems.ts";
import { createFindings, type Finding } from "./finding.ts";
import { type ReadPackage, readPackage } from "./readpackage.ts";
import { unpack, type UnpackedFile, type UnpackLimits } from "./unpack.ts";

export interface ImportDeps {
  readonly blobs: Pick<BlobStore, "put" | "keep">;
  readonly problems: Pick<Problems, "put">;
  readonly limits: UnpackLimits & Pick<Limits, "problemTests">;
  readonly clock: Clock;
  /** Where archives are unpacked; default: the system's folder for temporary files. */
  readonly temporaryFolder?: string | undefined;
}

export interface ImportInput {
  /** zip or gzipped tar. */
  readonly archive: Uint8Array;
  /** The archive's own name, e.g. "hello.zip": names the problem where nothing else does. */
  readonly archiveName?: string | undefined;
  /** Overrides the package's own name. */
  readonly problemId?: string | undefined;
  /** Who imports, for the record. */
  readonly by: string;
}

export type ImportResult =
  | { readonly type: "imported"; readonly problem: ProblemDocument; readonly warnings: readonly Finding[] }
  | { readonly type: "refused"; readonly findings: readonly Finding[] };

const PUTS_AT_ONCE = 8;

async function putAll(deps: ImportDeps, files: Iterable<UnpackedFile>): Promise<void> {
  for (const file of files) {
    const sha256 = await deps.blobs.put(await readFile(file.disk));
    if (sha256 !== file.sha256) throw new Error(`${file.path} changed on disk while it was imported`);
  }
}

/**
 * Blobs first, the problem last, so that a problem never names bytes that are not there. A crash in between leaves
 * unclaimed blobs, which are collected, or, in its last moment, kept ones that the next import of the package uses.
 */
async function store(deps: ImportDeps, found: ReadPackage, by: string): Promise<ProblemDocument> {
  const files = [...new Map(found.blobs.map((file) => [file.sha256, file])).values()];
  const blobs = files.map((file) => file.sha256);
  const waiting = files.values();
  // Each takes the next file as it comes free, so that a thousand small tests do not wait for each other's journal.
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, () => putAll(deps, waiting)));
  const { manifest } = found;
  const bytes = Buffer.from(JSON.stringify(ProblemManifest.parse(manifest)));
  const manifestSha = await deps.blobs.put(bytes);
  blobs.push(manifestSha);
  const problem: ProblemDocument = {
    _id: manifest.problem,
    name: manifest.name,
    manifest: manifestSha,
    blobs,
    timeMs: manifest.limits.timeMs,
    memoryMiB: manifest.limits.memoryMiB,
    codeKiB: manifest.limits.codeKiB,
    testCount: manifest.tests.length,
    ...(found.timing === undefined ? {} : { timing: found.timing }),
    ...(found.languages === undefined ? {} : { languages: [...found.languages] }),
    ...(found.resource === undefined ? {} : { resource: found.resource }),
    importedAt: new Date(deps.clock.now()),
    importedBy: by,
  };
  await deps.blobs.keep(problem.blobs);
  await deps.problems.put(problem);
  return problem;
}

/**
 * Reads a problem package, says everything that is wrong with it at once, and stores it only when nothing is.
 * Throws for trouble of our own (database, disk).
 */
export async function importPackage(deps: ImportDeps, input: ImportInput): Promise<ImportResult> {
  const findings = createFindings();
  if (input.problemId !== undefined && !ProblemId.safeParse(input.problemId).success) {
    findings.error("", `the problem id ${JSON.stringify(input.problemId)} is not usable`, {
      expected: "1 to 64 of a-z, 0-9, '_', '-', '.', starting with a letter or digit",
    });
    return { type: "refused", findings: findings.all };
  }
  const folder = await mkdtemp(join(deps.temporaryFolder ?? tmpdir(), "docket-import-"));
  try {
    const archive = Buffer.from(input.archive.buffer, input.archive.byteOffset, input.archive.byteLength);
    const unpacked = await unpack({ limits: deps.limits, findings }, { archive, folder });
    // What a damaged or dangerous archive holds is not worth a look.
    const found = findings.refused()
      ? undefined
      : await readPackage({ limits: deps.limits, findings }, { unpacked, ...input });
    if (found === undefined || findings.refused()) return { type: "refused", findings: findings.all };
    return { type: "imported", problem: await store(deps, found, input.by), warnings: findings.all };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
