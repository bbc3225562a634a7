import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { rulesParser } from "./parsers.ts";

const root = join(import.meta.dirname, "../..");
const run = promisify(execFile);

const Rules = z.array(
  z.object({
    alert: z.string(),
    for: z.string(),
    labels: z.record(z.string(), z.string()),
    annotations: z.record(z.string(), z.string()),
    metrics: z.array(z.string()).min(1),
  }),
);

let parser: string;
let rules: z.infer<typeof Rules>;

const parse = async (path: string) => (await run(parser, [path])).stdout;

beforeAll(async () => {
  parser = await rulesParser();
  rules = Rules.parse(JSON.parse(await parse(join(root, "docker/alerts.yaml"))));
}, 300_000);

it("docker/alerts.yaml is a rule file to Prometheus' own parser, and every rule says how grave it is", () => {
  expect(rules.length).toBeGreaterThan(10);
  expect(new Set(rules.map((rule) => rule.alert)).size).toBe(rules.length);
  for (const { alert, labels, annotations } of rules) {
    expect(["warning", "critical"], alert).toContain(labels["severity"]);
    expect(annotations["summary"], alert).toBeTruthy();
  }
});

it("its rules look at metrics that there are", () => {
  const code = globSync("src/**/*.ts", { cwd: root })
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  for (const { alert, metrics } of rules)
    for (const metric of metrics) expect(code, `${alert}: ${metric}`).toContain(`"${metric}"`);
});

it("operators.md says of every alert what to do", () => {
  const text = readFileSync(join(root, "docs/operators.md"), "utf8");
  for (const { alert } of rules) expect(text).toContain(`\`${alert}\``);
});

it("a wrong expression is noticed", async () => {
  const folder = await mkdtemp(join(tmpdir(), "docket-rules-"));
  try {
    const wrong = "groups: [{ name: x, rules: [{ alert: X, expr: 'sum(docket_jobs' }] }]";
    await writeFile(join(folder, "wrong.yaml"), wrong);
    await expect(parse(join(folder, "wrong.yaml"))).rejects.toThrow("could not parse expression");
  } finally {
    await rm(folder, { recursive: true });
  }
});
