import { EXIT } from "../src/shared/lifecycle.ts";

/**
 * `npm run bench -- NAME`: each benchmark starts what it needs on free ports, prints a readable table, and returns
 * its figures, which are printed as one JSON line last.
 */
const BENCHMARKS: Readonly<Record<string, (args: string[]) => Promise<object>>> = {
  submit: async () => await (await import("./submit.ts")).submit(),
  fairness: async () => await (await import("./fairness.ts")).fairness(),
  dispatch: async () => await (await import("./dispatch.ts")).dispatch(),
  storm: async () => await (await import("./storm.ts")).storm(),
  queue: async () => await (await import("./queue.ts")).queue(),
  contest: async () => await (await import("./contest.ts")).contest(),
  growth: async (sizes) =>
    await (await import("./growth.ts")).growth(sizes.length === 0 ? undefined : sizes.map(Number)),
  simulation: async ([pictures]) => await (await import("./simulation/simulation.ts")).simulation(pictures),
  sandbox: async () => await (await import("./sandbox.ts")).sandbox(),
  verdict: async (languages) =>
    await (await import("./verdict.ts")).verdict(languages.length === 0 ? undefined : languages),
  packages: async (directories) => await (await import("./packages.ts")).packages(directories),
  subscriptions: async ([count]) =>
    await (await import("./subscriptions.ts")).subscriptions(count === undefined ? undefined : Number(count)),
};

const [name = "", ...args] = process.argv.slice(2);
const benchmark = BENCHMARKS[name];
if (benchmark === undefined) {
  console.error(
    `Which benchmark? npm run bench -- NAME, where NAME is one of: ${Object.keys(BENCHMARKS).join(", ")}`,
  );
  process.exitCode = EXIT.config;
} else {
  console.log(JSON.stringify(await benchmark(args)));
}
