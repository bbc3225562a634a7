import { basename, join } from "node:path";
import { type Client, createClient } from "../cli/client.ts";
import { importProblem } from "../cli/importproblem.ts";
import type { Output } from "../cli/output.ts";
import { findingLine } from "../cli/show.ts";
import { ROOT } from "./checkout.ts";
import { exampleFolders, examplePrograms } from "./examples.ts";
import { type Fleet, heardFleet, type LanguageState } from "./fleet.ts";
import { judgeExamples } from "./judgeexamples.ts";
import type { Stack } from "./stack.ts";

/** A toolchain is installed and does not work; missing ones are only said. */
export class BrokenToolchain extends Error {
  constructor(broken: Fleet["broken"]) {
    const lines = broken.map(({ executor, language, reason }) => `  ${language} on ${executor}: ${reason}`);
    super(
      `A toolchain is installed and does not work:\n${lines.join("\n")}\n` +
        "  Mend or remove it, or take its language out of docket.config.json.",
    );
  }
}

/**
 * Imports the example problems and judges one right and one wrong program per offered language, all through the
 * public API. Resolves to the number of things that did not go as they should. Throws BrokenToolchain.
 */
export async function showExamples(stack: Stack, out: Output): Promise<number> {
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  const participant = createClient({ url: stack.url, token: stack.keys.participant });
  try {
    const folders = await exampleFolders(join(ROOT, "examples/problems"));
    out.line(`\n${out.bold("Example problems")}, imported through the API:`);
    const imported: string[] = [];
    for (const folder of folders) if (await importExample(jury, folder, out)) imported.push(folder);

    const { languages, broken } = await heardFleet(jury, stack.executors);
    out.line(`\n${out.bold("Languages")}:`);
    for (const language of languages) out.line(languageRow(out, language));
    if (broken.length > 0) throw new BrokenToolchain(broken);

    const offered = new Set(languages.filter((one) => one.offered).map((one) => one.language.id));
    const programs = (await examplePrograms(imported)).filter((program) => offered.has(program.language));
    out.line(`\n${out.bold("One right and one wrong program per language")}, as the verdicts come in:`);
    const misses = await judgeExamples({ client: participant, out }, programs);
    const good = programs.length - misses.length;
    const summary = `${good} of ${programs.length} verdicts as expected.`;
    out.line(`\n  ${good === programs.length && good > 0 ? out.good(summary) : out.bad(summary)}`);
    return misses.length + (folders.length - imported.length) + (programs.length === 0 ? 1 : 0);
  } finally {
    await Promise.all([jury.close(), participant.close()]);
  }
}

async function importExample(client: Client, folder: string, out: Output): Promise<boolean> {
  const answer = await importProblem(client, { path: folder });
  if (answer.type === "imported") {
    const { id, name, testCount } = answer.problem;
    out.line(`  ${id.padEnd(22)} ${name} ${out.dim(`(${testCount} tests)`)}`);
    return true;
  }
  out.line(`  ${basename(folder).padEnd(22)} ${out.bad(answer.message)}`);
  for (const finding of answer.findings) out.line(findingLine(out, finding));
  return false;
}

function languageRow(out: Output, { language, offered, versions, reasons }: LanguageState): string {
  // The same reason from every executor is one reason.
  const why = [...new Set(reasons)].join("; ") || "no pool in docket.config.json has it";
  const text = offered ? (versions[0] ?? "") : out.bad(`not offered: ${why}`);
  return `  ${language.name.padEnd(22)} ${text}`;
}
