import type { Command } from "commander";
import { z } from "zod";
import type { Client } from "./client.ts";
import { operation, Refusal } from "./operations.ts";
import { type Output, plain } from "./output.ts";
import { ApiRefusal } from "./trouble.ts";

const REINSTATE_PROBLEM = operation(
  `mutation ReinstateProblem($input: ReinstateProblemInput!) {
    reinstateProblem(input: $input) {
      ... on ReinstateProblemSuccess { problem { id name } }
      ... on UserError { code message }
      ... on ServiceUnavailable { retryAfterMs }
    }
  }`,
  z.object({
    reinstateProblem: z.union([
      z.object({ problem: z.object({ id: z.string(), name: z.string() }) }),
      Refusal,
    ]),
  }),
);

/** Adds `reinstate-problem`: takes submissions again for a problem that was taken out. */
export function addReinstateProblemCommand(
  program: Command,
  run: (command: Command, use: (client: Client, out: Output) => Promise<void>) => Promise<void>,
): void {
  program
    .command("reinstate-problem")
    .description("take submissions again for a problem that was taken out because its validator failed")
    .argument("<problem>", "its id")
    .action(async (problem: string, _options: unknown, command: Command) => {
      await run(command, async (client, out) => {
        const { reinstateProblem: answer } = await client.request(REINSTATE_PROBLEM, { input: { problem } });
        if ("code" in answer)
          throw new ApiRefusal(answer.code, answer.message, answer.retryAfterMs ?? undefined);
        out.line(`${plain(answer.problem.name)} (${answer.problem.id}) takes submissions again`);
      });
    });
}
