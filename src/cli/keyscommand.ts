import { type Command, InvalidArgumentError, Option } from "commander";
import { createKey, revokeKey, withStore } from "./keys.ts";
import { type Output, plain, table } from "./output.ts";

function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError("Expected a whole number above 0.");
  return value;
}

const isJson = (command: Command): boolean => command.optsWithGlobals<{ json?: boolean }>().json === true;

interface CreateOptions {
  readonly role: "participant" | "jury" | "admin";
  readonly owner: string;
  readonly note?: string;
  readonly days?: number;
}

/** `docket keys …`: works on the database, not over the API. */
export function addKeysCommand(program: Command, out: Output, notes: Output): void {
  const keys = program.command("keys").description("make, list and revoke API keys (works on the database)");

  keys
    .command("create")
    .description("make a key and print it, this once")
    .addOption(
      new Option("--role <role>", "what it may do")
        .choices(["participant", "jury", "admin"])
        .makeOptionMandatory(),
    )
    .requiredOption("--owner <name>", "whose submissions are made with it")
    .option("--note <text>", "for your own memory")
    .option("--days <n>", "days until it expires (default: never)", positiveInteger)
    .action(async (options: CreateOptions, command: Command) => {
      const { key, document } = await withStore(process.env, (store) =>
        createKey(store, { ...options, now: new Date() }),
      );
      if (isJson(command)) out.json({ key, id: document._id, ...options });
      else {
        out.line(key);
        notes.line(notes.dim("Keep it: it cannot be shown again. It is known to the servers at once."));
      }
    });

  keys
    .command("list")
    .description("list the keys; a key itself is stored nowhere")
    .action(async (_options: unknown, command: Command) => {
      const found = await withStore(process.env, (store) => store.apiKeys.list());
      if (isJson(command)) return out.json(found.map(({ _id, ...rest }) => ({ id: _id, ...rest })));
      const rows = found.map((key) => [
        key._id.slice(0, 12),
        plain(key.owner),
        key.role,
        key.createdAt.toISOString().slice(0, 16),
        key.expiresAt?.toISOString().slice(0, 16) ?? "never",
        plain(key.note ?? ""),
      ]);
      for (const line of table([["id", "owner", "role", "made", "expires", "note"], ...rows])) out.line(line);
    });

  keys
    .command("revoke")
    .description("revoke a key; it stops working within seconds")
    .argument("<id>", "the key's id, its start, or the key itself")
    .action(async (id: string, _options: unknown, command: Command) => {
      const revoked = await withStore(process.env, (store) => revokeKey(store, id));
      if (isJson(command)) out.json({ id: revoked._id, owner: revoked.owner, role: revoked.role });
      else out.line(`revoked  ${revoked._id.slice(0, 12)}  ${plain(revoked.owner)}, ${revoked.role}`);
    });
}
