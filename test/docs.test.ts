import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const DOCUMENTS = globSync(["*.md", "docs/**/*.md"], { cwd: root }).toSorted();

/** As GitHub makes an anchor of a heading. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\w\s-]/g, "")
    .trim()
    .replaceAll(/\s/g, "-");

const anchorsIn = (path: string): string[] =>
  [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => anchorOf(heading));

describe.each(DOCUMENTS)("%s", (path) => {
  it("links to files and headings that are there", () => {
    for (const [, target = ""] of read(path).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [file = "", anchor] = target.split("#");
      const linked = file === "" ? path : join(dirname(path), file);
      expect(existsSync(join(root, linked)), `${path} links to ${target}`).toBe(true);
      if (anchor !== undefined) expect(anchorsIn(linked), `${path} links to ${target}`).toContain(anchor);
    }
  });

  it("names npm scripts and source files that are there", () => {
    const scripts = Object.keys(JSON.parse(read("package.json")).scripts as object);
    for (const [, script] of read(path).matchAll(/npm run ([\w-]+)/g)) expect(scripts).toContain(script);
    for (const [, file = ""] of read(path).matchAll(/`((?:src|setup|test|bench|docker)\/[\w./-]+\.\w+)`/g)) {
      expect(existsSync(join(root, file)), `${path} names ${file}`).toBe(true);
    }
  });
});

describe("docs/operators.md", () => {
  const text = read("docs/operators.md");

  it.each(["src/server/config.ts", "src/executors/config.ts"])("has every variable of %s", (config) => {
    const variables = new Set(read(config).match(/\b(DOCKET|NATS|MONGODB)_[A-Z_]+\b/g));
    expect(variables.size).toBeGreaterThan(8);
    for (const variable of variables) expect(text).toContain(`\`${variable}\``);
  });

  it("names metrics that are there", () => {
    const code = globSync("src/**/*.ts", { cwd: root }).map(read).join("\n");
    const named = [...text.matchAll(/`(docket_\w+)`/g)].map(([, name = ""]) => name);
    expect(named.length).toBeGreaterThan(1);
    for (const name of named) expect(code, name).toContain(`"${name}"`);
  });
});
