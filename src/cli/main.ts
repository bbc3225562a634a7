import { randomUUID } from "node:crypto";
import { Command, CommanderError } from "commander";
import { type Client } from "./client.ts";
import { type ConnectOptions, withClient } from "./connect.ts";
import { addContestsCommand } from "./contestscommand.ts";
import { addDeadLettersCommand } from "./deadletterscommand.ts";
import { importProblem } from "./importproblem.ts";
import { addKeysCommand } from "./keyscommand.ts";
import { listExecutors, listLanguages, listPools, listProblems, listQueues } from "./lists.ts";
import { isFinal, SUBMISSION, type SubmissionView } from "./operations.ts";
import { createOutput, type Output, plain } from "./output.ts";
import { addPauseCommand } from "./pausecommand.ts";
import { addReinstateProblemCommand } from "./reinstateproblem.ts";
import { readInput, runCode, showRun } from "./runcode.ts";
import { addRejudgeCommand } from "./rejudgecommand.ts";
import { createProgress, findingLine, outcomeLines } from "./show.ts";
import { handIn, readProgram } from "./submit.ts";
import { CLI_EXIT, CliTrouble, Interrupted } from "./trouble.ts";
import { verify } from "./verify.ts";
import { addWebhooksCommand } from "./webhookscommand.ts";

/** The command line: `npm run docket -- COMMAND`. docs/cli.md describes it. */

const out = createOutput(process.stdout, process.env);
const notes = createOutput(process.stderr, process.env);
const interrupt = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"])
  process.once(signal, () => interrupt.abort(new Interrupted("interrupted")));
const deps = { env: process.env, notes, signal: interrupt.signal };

interface Shared extends ConnectOptions {
  readonly json?: boolean;
}

type Use = (client: Client, out: Output) => Promise<number>;

/** Runs a command against the API; its result is the exit code. */
async function act(options: Shared, role: "participant" | "jury", use: Use): Promise<void> {
  process.exitCode = await withClient(deps, options, role, (client) => use(client, out));
}

const exitOf = (view: SubmissionView): number => (view.verdict === "AC" ? CLI_EXIT.ok : CLI_EXIT.otherwise);

const heading = (view: SubmissionView): string =>
  `${out.bold(view.id)}  ${plain(view.problem?.name ?? "")}, ${view.language.name}`;

const program = new Command("docket")
  .description("Submit programs, verify problem packages and look after a Docket.")
  .option("--url <url>", "server to talk to (DOCKET_URL; default: the stack that npm start runs)")
  .option("--token <key>", "API key (DOCKET_TOKEN; default: the local stack's)")
  .option("--ephemeral", "start a stack of its own for this command and remove it after")
  .option("--json", "print JSON for programs")
  .configureOutput({ outputError: (text, write) => write(notes.bad(text)) })
  .showHelpAfterError("(docket COMMAND --help says more)")
  .exitOverride();

const shared = (command: Command): Shared => command.optsWithGlobals<Shared>();

program
  .command("submit")
  .description("hand in a program; with --watch show its tests as they finish")
  .argument("<file...>", "source files")
  .requiredOption("-p, --problem <id>", "problem to hand it in for")
  .option("-l, --language <id>", "language (default: by file ending)")
  .option("-w, --watch", "wait for the verdict")
  .option("--contest <id>", "hand it in to this contest")
  .option("--entry-point <name>", "main file or class")
  .option("--idempotency-key <key>", "the same key again gives the same submission")
  .action(async (files: string[], options: Record<string, string | undefined>, command: Command) => {
    const { json = false, ...connect } = shared(command);
    const { language, files: sources } = await readProgram(files, options["language"]);
    await act(connect, "participant", async (client) => {
      const { submission, replayed } = await handIn(client, {
        problem: options["problem"] ?? "",
        language,
        files: sources,
        ...(options["entryPoint"] === undefined ? {} : { entryPoint: options["entryPoint"] }),
        ...(options["contest"] === undefined ? {} : { contest: options["contest"] }),
        idempotencyKey: options["idempotencyKey"] ?? randomUUID(),
      });
      const watching = options["watch"] !== undefined;
      if (!json) out.line(`${heading(submission)}${replayed ? " (seen before)" : ""}`);
      if (!watching) {
        if (json) out.json({ submission: submission.id, state: submission.state, replayed });
        return CLI_EXIT.ok;
      }
      const show = createProgress(out);
      let view = submission;
      for await (const next of client.watch(submission.id)) {
        view = next;
        if (!json) show(next);
      }
      if (json) out.json(view);
      else for (const line of outcomeLines(out, view)) out.line(line);
      return exitOf(view);
    });
  });

program
  .command("submission")
  .description("show a submission; exit code 0 only for AC")
  .argument("<id>")
  .option("-w, --watch", "wait for the verdict")
  .action(async (id: string, options: { watch?: true }, command: Command) => {
    const { json = false, ...connect } = shared(command);
    await act(connect, "jury", async (client) => {
      const { submission } = await client.request(SUBMISSION, { id });
      if (submission === null) throw new CliTrouble(`There is no submission ${id} that you may see.`);
      if (!json) out.line(heading(submission));
      const show = createProgress(out);
      let view = submission;
      if (options.watch === true) {
        for await (const next of client.watch(id)) {
          view = next;
          if (!json) show(next);
        }
      } else if (!json) show(submission);
      if (json) out.json(view);
      else for (const line of outcomeLines(out, view)) out.line(line);
      return isFinal(view) ? exitOf(view) : CLI_EXIT.ok;
    });
  });

program
  .command("verify")
  .description("judge a package's own submissions and compare with what it promises")
  .argument("<dir...>", "problem package directories")
  .action(async (directories: string[], _options: unknown, command: Command) => {
    const { json = false, ...connect } = shared(command);
    await act(connect, "jury", async (client) => {
      const report = await verify({ client, out }, { directories, signal: interrupt.signal });
      if (json) out.json(report);
      return report.misses.length === 0 ? CLI_EXIT.ok : CLI_EXIT.otherwise;
    });
  });

program
  .command("import")
  .description("import a problem package")
  .argument("<package>", "directory, .zip, .kpp or .tar.gz")
  .option("--problem <id>", "id to import it under")
  .action(async (path: string, options: Record<string, string | undefined>, command: Command) => {
    const { json = false, ...connect } = shared(command);
    await act(connect, "jury", async (client) => {
      const answer = await importProblem(client, { path, problemId: options["problem"] });
      if (json) out.json(answer);
      else {
        const findings = answer.type === "imported" ? answer.warnings : answer.findings;
        for (const finding of findings) out.line(findingLine(out, finding));
        if (answer.type === "imported") {
          const { id, name, testCount, timeMs } = answer.problem;
          out.line(
            `${out.good("imported")}  ${out.bold(id)}  ${plain(name)}, ${testCount} tests, ${timeMs / 1000} s`,
          );
        } else out.line(out.bad(answer.message));
      }
      return answer.type === "imported" ? CLI_EXIT.ok : CLI_EXIT.trouble;
    });
  });

const lists = {
  problems: { about: "list the problems", role: "participant", list: listProblems },
  languages: { about: "list the languages, on offer or not", role: "participant", list: listLanguages },
  queues: { about: "show what waits and runs", role: "participant", list: listQueues },
  executors: { about: "show the executors", role: "jury", list: listExecutors },
  pools: { about: "show the pools and how many executors each wants", role: "jury", list: listPools },
} as const;

for (const [name, { about, role, list }] of Object.entries(lists)) {
  program
    .command(name)
    .description(about)
    .action(async (_options: unknown, command: Command) => {
      const { json = false, ...connect } = shared(command);
      await act(connect, role, async (client) => {
        await list(client, out, { json });
        return CLI_EXIT.ok;
      });
    });
}

/** A command that is not more than its words: it ends well unless it throws. */
const asJury = async (
  command: Command,
  use: (client: Client, out: Output, options: { readonly json: boolean }) => Promise<void>,
): Promise<void> => {
  const { json = false, ...connect } = shared(command);
  await act(connect, "jury", async (client) => {
    await use(client, out, { json });
    return CLI_EXIT.ok;
  });
};

addDeadLettersCommand(program, asJury);
addReinstateProblemCommand(program, asJury);
addContestsCommand(program, asJury);
addPauseCommand(program, asJury);
addWebhooksCommand(program, asJury);
addRejudgeCommand(program, asJury);
addKeysCommand(program, out, notes);
program
  .command("run")
  .description("run a program on an input of your own; exit code 0 only when it ended well")
  .argument("<file...>", "source files")
  .option("-l, --language <id>", "language (default: by file ending)")
  .option("-i, --input <file>", "standard input of the program; - for that of this command")
  .option("--entry-point <name>", "main file or class")
  .action(async (files: string[], options: Record<string, string | undefined>, command: Command) => {
    const { json = false, ...connect } = shared(command);
    const { language, files: sources } = await readProgram(files, options["language"]);
    const stdin = await readInput(options["input"]);
    const entryPoint = options["entryPoint"];
    await act(connect, "participant", async (client) => {
      const key = randomUUID();
      const view = await runCode(client, {
        language,
        files: sources,
        stdin,
        entryPoint,
        idempotencyKey: key,
      });
      const write = (text: string): void =>
        void process.stdout.write(process.stdout.isTTY ? plain(text) : text);
      if (!json) return showRun({ write, notes }, view);
      out.json(view);
      return view.outcome === "OK" ? CLI_EXIT.ok : CLI_EXIT.otherwise;
    });
  });

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? CLI_EXIT.ok : CLI_EXIT.trouble;
  } else if (error instanceof Interrupted || interrupt.signal.aborted) {
    process.exitCode = CLI_EXIT.interrupted;
  } else {
    // Errors made for people carry their whole story in the message; anything else is a mistake of ours.
    const forPeople = error instanceof Error && error.constructor !== Error && !(error instanceof TypeError);
    notes.line(
      notes.bad(
        forPeople ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error),
      ),
    );
    process.exitCode = CLI_EXIT.trouble;
  }
}
