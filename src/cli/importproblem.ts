import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Client } from "./client.ts";
import { type FindingView, IMPORT, type ProblemView } from "./operations.ts";
import { packDirectory } from "./pack.ts";
import { ApiRefusal, CliTrouble } from "./trouble.ts";

export type ImportAnswer =
  | { readonly type: "imported"; readonly problem: ProblemView; readonly warnings: readonly FindingView[] }
  | { readonly type: "refused"; readonly message: string; readonly findings: readonly FindingView[] };

/** Imports a package from its directory or archive. Throws ApiRefusal for anything but the package's own mistakes. */
export async function importProblem(
  client: Client,
  input: { path: string; problemId?: string | undefined },
): Promise<ImportAnswer> {
  const info = await stat(input.path).catch(() => undefined);
  if (info === undefined) throw new CliTrouble(`${input.path}: there is no such file or directory.`);
  const archive = info.isDirectory()
    ? await packDirectory(input.path)
    : { name: basename(input.path), bytes: new Uint8Array(await readFile(input.path)) };
  const { importProblem: answer } = await client.upload(
    IMPORT,
    { archiveName: archive.name, problemId: input.problemId ?? null },
    archive,
  );
  if ("problem" in answer) return { type: "imported", ...answer };
  if (answer.findings !== undefined) {
    return { type: "refused", message: answer.message, findings: answer.findings };
  }
  throw new ApiRefusal(answer.code, answer.message, answer.retryAfterMs ?? undefined);
}
