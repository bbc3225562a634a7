import type { Command } from "commander";
import { type ContestOptions, createContest, listContests, updateContest } from "./contests.ts";
import type { Run } from "./run.ts";

const withOptions = (command: Command): Command =>
  command
    .argument("<id>", "short name: a-z, 0-9, '_', '-', '.'")
    .option("--name <text>", "its name")
    .option("--from <time>", "when it starts, e.g. 2026-11-24T08:00:00Z")
    .option("--to <time>", "when it is over")
    .option("-p, --problem <id...>", "its problems, in their order")
    .option("--open", "everybody may take part")
    .option("--participant <owner...>", "who may take part")
    .option("--rate <perSecond:burst>", "how fast it takes submissions, all participants together");

/** Adds `contests`. */
export function addContestsCommand(program: Command, run: Run): void {
  const group = program.command("contests").description("list, create and change contests");
  group
    .command("list", { isDefault: true })
    .description("list them")
    .action(async (_options: unknown, command: Command) => {
      await run(command, listContests);
    });
  withOptions(group.command("create"))
    .description("make a contest: its submissions are judged before everything else")
    .action(async (id: string, options: ContestOptions, command: Command) => {
      await run(command, (client, out, { json }) => createContest(client, out, { id, options, json }));
    });
  withOptions(group.command("update"))
    .description("change a contest; what is left out stays")
    .action(async (id: string, options: ContestOptions, command: Command) => {
      await run(command, (client, out, { json }) => updateContest(client, out, { id, options, json }));
    });
}
