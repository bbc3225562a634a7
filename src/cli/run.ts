import type { Command } from "commander";
import type { Client } from "./client.ts";
import type { Output } from "./output.ts";

/** Runs a command against the API with the key that was given, or a jury key. */
export type Run = (
  command: Command,
  use: (client: Client, out: Output, options: { readonly json: boolean }) => Promise<void>,
) => Promise<void>;
