import type { Command } from "commander";
import {
  cancelByName,
  closeRejudge,
  createRejudge,
  listRejudges,
  type RejudgeOptions,
  showRejudge,
} from "./rejudges.ts";
import type { Run } from "./run.ts";

/** Adds `rejudge` and `cancel`. */
export function addRejudgeCommand(program: Command, run: Run): void {
  const group = program
    .command("rejudge")
    .description("judge a set of submissions again: create, look at what would change, apply, cancel");

  group
    .command("create")
    .description("judge those named, or those that fit, again; the old verdicts stand until it is applied")
    .argument("[id...]", "submissions")
    .requiredOption("--reason <text>", "why; kept with who")
    .option("--problem <id>", "only of this problem")
    .option("--language <id>", "only of this language")
    .option("--contest <id>", "only of this contest")
    .option("--verdict <verdict>", "only with this verdict, e.g. WA")
    .option("--owner <name>", "only of this owner")
    .option("--since <time>", "only those handed in then or later, e.g. 2026-11-24T08:00:00Z")
    .option("--before <time>", "only those handed in before")
    .option("--priority <priority>", "low (when there is room), normal or high", "low")
    .option("--auto-apply", "apply it as soon as all are judged")
    .option("-w, --watch", "wait until all are judged")
    .action(async (ids: string[], options: RejudgeOptions & { watch?: true }, command: Command) => {
      const { watch = false, ...given } = options;
      await run(command, (client, out, { json }) =>
        createRejudge(client, out, { ...given, ids, watch, json }),
      );
    });

  group
    .command("list", { isDefault: true })
    .description("list the last ones, newest first")
    .action(async (_options: unknown, command: Command) => {
      await run(command, (client, out, { json }) => listRejudges(client, out, json));
    });

  group
    .command("show")
    .description("show one: how far it is, and what would change")
    .argument("<rejudge>")
    .option("--changed", "list the submissions whose verdict changes")
    .option("-w, --watch", "wait until all are judged")
    .action(async (id: string, options: { changed?: true; watch?: true }, command: Command) => {
      const { changed = false, watch = false } = options;
      await run(command, (client, out, { json }) => showRejudge(client, out, { id, changed, watch, json }));
    });

  for (const how of ["apply", "cancel"] as const) {
    group
      .command(how)
      .description(how === "apply" ? "make its verdicts count" : "drop it, and stop what still runs for it")
      .argument("<rejudge>")
      .action(async (id: string, _options: unknown, command: Command) => {
        await run(command, (client, out, { json }) => closeRejudge(client, out, { id, how, json }));
      });
  }

  program
    .command("cancel")
    .description("take submissions back that have no final state yet; programs that run are stopped")
    .argument("<id...>", "submissions")
    .action(async (ids: string[], _options: unknown, command: Command) => {
      await run(command, (client, out) => cancelByName(client, out, ids));
    });
}
