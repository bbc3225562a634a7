import type { Command } from "commander";
import { pause, type PauseTarget, resume } from "./pauses.ts";
import { listPoolSettings, type SetOptions, setPool } from "./poolsettings.ts";
import { CliTrouble } from "./trouble.ts";
import type { Run } from "./run.ts";

interface TargetOptions {
  readonly language?: string;
  readonly problem?: string;
  readonly pool?: string;
}

const withTarget = (command: Command): Command =>
  command
    .argument("[language]", "the language")
    .option("-l, --language <id>", "a language, or another kind of work")
    .option("-p, --problem <id>", "a problem")
    .option("--pool <name>", "a pool of executors");

/** The one thing that is meant. Throws CliTrouble. */
function targetOf(argument: string | undefined, { language, problem, pool }: TargetOptions): PauseTarget {
  const given: PauseTarget[] = [
    ...(argument === undefined ? [] : [{ language: argument }]),
    ...(language === undefined ? [] : [{ language }]),
    ...(problem === undefined ? [] : [{ problem }]),
    ...(pool === undefined ? [] : [{ pool }]),
  ];
  const [target, more] = given;
  if (target === undefined || more !== undefined)
    throw new CliTrouble("Say what: one of --language, --problem and --pool.");
  return target;
}

/** Adds `pause`, `resume` and `pool`. */
export function addPauseCommand(program: Command, run: Run): void {
  withTarget(program.command("pause"))
    .description("let no further job of a language, a problem or a pool start; what has begun is finished")
    .requiredOption("--reason <text>", "told to everybody who waits")
    .option("--drain", "of a pool: what still runs after its grace time is given back, too")
    .action(
      async (
        argument: string | undefined,
        options: TargetOptions & { reason: string; drain?: true },
        command: Command,
      ) => {
        const { reason, drain, ...rest } = options;
        const target = targetOf(argument, rest);
        await run(command, (client, out, { json }) => pause(client, out, { target, reason, drain, json }));
      },
    );
  withTarget(program.command("resume"))
    .description("let a paused language, problem or pool go on")
    .action(async (argument: string | undefined, options: TargetOptions, command: Command) => {
      const target = targetOf(argument, options);
      await run(command, (client, out, { json }) => resume(client, out, { target, json }));
    });
  const group = program.command("pool").description("change pools while they run");
  group
    .command("list", { isDefault: true })
    .description("list what was changed")
    .action(async (_options: unknown, command: Command) => {
      await run(command, (client, out, { json }) => listPoolSettings(client, out, json));
    });
  group
    .command("set")
    .description("change slots and lanes of a pool's executors; it stays over restarts")
    .argument("<pool>")
    .option("--slots <n>", "of each executor; or: configured")
    .option("--lanes <weights>", "lanes served, with weights, such as contest=4,practice=1; or: configured")
    .action(async (pool: string, options: SetOptions, command: Command) => {
      await run(command, (client, out, { json }) => setPool(client, out, { pool, options, json }));
    });
}
