import { type Command, InvalidArgumentError } from "commander";
import {
  type DeadLetterOptions,
  discardByName,
  listDeadLetters,
  listRejected,
  redriveByFilter,
  redriveByName,
  reinstate,
} from "./deadletters.ts";
import { CliTrouble } from "./trouble.ts";
import type { Run } from "./run.ts";

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("a whole number above 0");
  return value;
}

const withFilter = (command: Command): Command =>
  command
    .option("--problem <id>", "only of this problem")
    .option("--language <id>", "only of this language")
    .option("--code <code>", "only of this code, e.g. SANDBOX_FAILED")
    .option("--since <time>", "only those given up then or later, e.g. 2026-11-24T08:00:00Z")
    .option("--before <time>", "only those given up before");

interface Many extends DeadLetterOptions {
  readonly limit: number;
}

/** Adds `deadletters`, `rejected` and `reinstate`. */
export function addDeadLettersCommand(program: Command, run: Run): void {
  const group = program
    .command("deadletters")
    .description("submissions that could not be judged: list, redrive, discard");

  withFilter(group.command("list", { isDefault: true }))
    .description("list those that wait for a decision, newest first")
    .option("--discarded", "those that were discarded, too")
    .option("--limit <n>", "at most so many", count, 50)
    .action(async (options: Many & { discarded?: true }, command: Command) => {
      await run(command, (client, out, { json }) =>
        listDeadLetters(client, out, { ...options, most: options.limit, json }),
      );
    });

  withFilter(group.command("redrive"))
    .description("judge them again: those named, those that fit a filter, or all")
    .argument("[id...]", "submissions")
    .option("--all", "all that wait for a decision")
    .option("--limit <n>", "at most so many", count, 100)
    .action(async (ids: string[], options: Many & { all?: true }, command: Command) => {
      await run(command, (client, out) =>
        ids.length > 0
          ? redriveByName(client, out, ids)
          : redriveByFilter(client, out, { ...options, most: options.limit }),
      );
    });

  group
    .command("discard")
    .description("lay them aside: they stay FAILED and are no longer listed")
    .argument("<id...>", "submissions")
    .requiredOption("--reason <text>", "why")
    .action(async (ids: string[], { reason }: { reason: string }, command: Command) => {
      if (reason.trim() === "") throw new CliTrouble("Say with --reason why.");
      await run(command, (client, out) => discardByName(client, out, { ids, reason }));
    });

  program
    .command("rejected")
    .description("show messages that could not be used, newest first")
    .action(async (_options: unknown, command: Command) => {
      await run(command, listRejected);
    });

  program
    .command("reinstate")
    .description("make an executor offer again what it took out because its jobs kept failing")
    .argument("<executor>")
    .option("-l, --language <id>", "one language only")
    .action(async (executor: string, { language }: { language?: string }, command: Command) => {
      await run(command, (client, out) => reinstate(client, out, { executor, language }));
    });
}
