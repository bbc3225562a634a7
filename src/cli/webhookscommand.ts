import type { Command } from "commander";
import {
  type AddOptions,
  addWebhook,
  listDead,
  listWebhooks,
  removeWebhooks,
  replay,
  testWebhook,
} from "./webhooks.ts";
import type { Run } from "./run.ts";

/** Adds `webhooks`. */
export function addWebhooksCommand(program: Command, run: Run): void {
  const group = program
    .command("webhooks")
    .description("addresses that are called when something happens to submissions");
  group
    .command("list", { isDefault: true })
    .description("list them: one's own, the jury all")
    .action(async (_options: unknown, command: Command) => {
      await run(command, (client, out, { json }) => listWebhooks(client, out, json));
    });
  group
    .command("add")
    .description("have an address called; prints the secret that signs the calls")
    .argument("<url>", "https; no private or loopback address unless the server allows it")
    .requiredOption(
      "--event <event...>",
      "submission.finished, submission.failed, submission.cancelled, submission.rejudged",
    )
    .option("--all", "of everybody's submissions, not only one's own; for the jury")
    .option("-p, --problem <id>", "of this problem only")
    .option("--description <text>", "what it is for")
    .action(async (url: string, options: AddOptions, command: Command) => {
      await run(command, (client, out, { json }) => addWebhook(client, out, { url, options, json }));
    });
  group
    .command("remove")
    .description("with all that waits for them and their history")
    .argument("<id...>")
    .action(async (ids: string[], _options: unknown, command: Command) => {
      await run(command, (client, out) => removeWebhooks(client, out, ids));
    });
  group
    .command("test")
    .description("send an event that tells of nothing")
    .argument("<id>")
    .action(async (id: string, _options: unknown, command: Command) => {
      await run(command, (client, out) => testWebhook(client, out, id));
    });
  group
    .command("dead")
    .description("list the deliveries that were given up, newest first, and why")
    .argument("<id>")
    .action(async (id: string, _options: unknown, command: Command) => {
      await run(command, (client, out, { json }) => listDead(client, out, { id, json }));
    });
  group
    .command("replay")
    .description("send deliveries again: those named, or all that were given up")
    .argument("<id>")
    .argument("[delivery...]")
    .option("--since <time>", "only those made then or later, e.g. 2026-11-24T08:00:00Z")
    .action(async (id: string, deliveries: string[], { since }: { since?: string }, command: Command) => {
      await run(command, (client, out) => replay(client, out, { id, deliveries, since }));
    });
}
