import { readFile, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Client } from "./client.ts";
import { type FindingView, IMPORT, type ProblemView } from "./operations.ts";
import { packDirectory } from "./pack.ts";
import { ApiRefusal, CliTrouble, ServerUnreachable } from "./trouble.ts";

export type ImportAnswer =
  | { readonly type: "imported"; readonly problem: ProblemView; readonly warnings: readonly FindingView[] }
  | { readonly type: "refused"; readonly message: string; readonly findings: readonly FindingView[] };

/**
 * Uploads the archive. A server that refuses it unread closes the connection, and its answer can get lost while we are
 * still sending: then the same question without an archive tells why.
 */
async function send(
  client: Client,
  archive: { name: string; bytes: Uint8Array<ArrayBuffer> },
  problemId: string | undefined,
) {
  const input = { archiveName: archive.name, problemId: problemId ?? null };
  try {
    return await client.upload(IMPORT, input, archive);
  } catch (error) {
    if (!(error instanceof ServerUnreachable)) throw error;
    const { importProblem: answer } = await client.request(IMPORT, { input });
    if ("code" in answer && answer.code !== "INPUT_INVALID") return { importProblem: answer };
    throw error;
  }
}

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
  const { importProblem: answer } = await send(client, archive, input.problemId);
  if ("problem" in answer) return { type: "imported", ...answer };
  if (answer.findings !== undefined) {
    return { type: "refused", message: answer.message, findings: answer.findings };
  }
  throw new ApiRefusal(answer.code, answer.message, answer.retryAfterMs ?? undefined);
}
