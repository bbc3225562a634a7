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

const brokenLines = (broken: Fleet["broken"]): string[] =>
  broken.map(({ executor, language, reason }) => `  ${language} on ${executor}: ${reason}`);

/** Of the languages that the pools have, none is offered by anybody: such a stack would judge nothing. */
export class NothingWorks extends Error {
  constructor({ languages, broken }: Fleet) {
    const told = new Set(broken.map(({ language }) => language));
    const missing = languages
      .filter(({ language, reasons }) => reasons.length > 0 && !told.has(language.id))
      .map(({ language, reasons }) => `  ${language.id}: ${[...new Set(reasons)].join("; ")}`);
    super(
      `No language of docket.config.json works here:\n${[...brokenLines(broken), ...missing].join("\n")}\n` +
        "  Install or mend one, or put another one into docket.config.json.",
    );
  }
}

/** What works is offered all the same; a language whose toolchain fails its self-test is not. Throws NothingWorks. */
function checkOffers(fleet: Fleet, out: Output): void {
  const { languages, broken } = fleet;
  const wanted = languages.filter(({ offered, reasons }) => offered || reasons.length > 0);
  if (wanted.length > 0 && !wanted.some(({ offered }) => offered)) throw new NothingWorks(fleet);
  if (broken.length === 0) return;
  const lines = [
    "Warning: a toolchain is installed and does not work, so this is not offered:",
    ...brokenLines(broken),
    "  Mend or remove it and restart, or take it out of docket.config.json.",
  ];
  out.line(`\n${out.warn(lines.join("\n"))}`);
}

/**
 * Imports the example problems and judges one right and one wrong program per offered language, all through the
 * public API. Resolves to the number of things that did not go as they should. Throws NothingWorks.
 */
export async function showExamples(stack: Stack, out: Output): Promise<number> {
  const jury = createClient({ url: stack.url, token: stack.keys.jury });
  const participant = createClient({ url: stack.url, token: stack.keys.participant });
  try {
    const folders = await exampleFolders(join(ROOT, "examples/problems"));
    out.line(`\n${out.bold("Example problems")}, imported through the API:`);
    const imported: string[] = [];
    for (const folder of folders) if (await importExample(jury, folder, out)) imported.push(folder);

    const fleet = await heardFleet(jury, stack.executors());
    out.line(`\n${out.bold("Languages")}:`);
    const { languages } = fleet;
    for (const language of languages) out.line(languageRow(out, language));
    checkOffers(fleet, out);

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
