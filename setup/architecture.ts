import { posix } from "node:path";
import type { Source } from "./sources.ts";

/** One broken rule, with the file and what to do about it. */
export interface Violation {
  readonly rule: RuleName;
  readonly path: string;
  readonly message: string;
}

/** Most lines of any file. */
const MOST_LINES = 400;
/** Nine files in ten stay under this. */
const READABLE_LINES = 250;
const READABLE_SHARE = 0.9;

/**
 * The layers of src/ and what each may import from, itself apart. The first prefix that fits a file decides,
 * so the narrower ones stand first. A single file in a list is a named door into another layer.
 */
const LAYERS: readonly (readonly [prefix: string, mayImport: readonly string[]])[] = [
  ["src/shared/", []],
  ["src/executors/", ["src/shared/"]],
  ["src/server/store/", ["src/shared/"]],
  ["src/server/broker/", ["src/shared/"]],
  ["src/server/problems/", ["src/shared/", "src/server/store/"]],
  ["src/server/intake/", ["src/shared/", "src/server/store/", "src/server/broker/"]],
  ["src/server/results/", ["src/shared/", "src/server/store/", "src/server/broker/", "src/server/intake/"]],
  ["src/server/rejudge/", ["src/shared/", "src/server/store/", "src/server/broker/", "src/server/results/"]],
  ["src/server/webhooks/", ["src/shared/", "src/server/store/", "src/server/submissionview.ts"]],
  ["src/server/", ["src/shared/", "src/server/"]],
  ["src/supervisor/", ["src/shared/", "src/server/store/", "src/executors/languages/", "src/cli/"]],
  [
    "src/cli/",
    [
      "src/shared/",
      "src/server/store/",
      "src/supervisor/stack.ts",
      "src/supervisor/stackfile.ts",
      "src/supervisor/pools.ts",
      "src/supervisor/settings.ts",
    ],
  ],
  ["setup/", ["src/shared/", "src/supervisor/"]],
  ["bench/", ["src/", "test/support/proxy.ts", "test/support/processes.ts", "test/support/problemtools.ts"]],
  ["fuzz/", ["src/", "bench/"]],
  ["test/", ["src/", "setup/", "bench/", "fuzz/", "codegen.ts"]],
  ["codegen.ts", ["src/server/graphql/", "src/shared/", "setup/kubernetes/"]],
];

/** Packages that only some places may import. `types` are free: they are gone when the code runs. */
const PACKAGE_HOMES: readonly (readonly [pattern: RegExp, homes: readonly string[]])[] = [
  [/^mongodb$/, ["src/server/store/", "src/supervisor/mongod.ts", "bench/", "test/"]],
  [/^isolated-vm$/, ["src/executors/sandbox/isolate-child.ts", "test/executors/"]],
  [
    /^(graphql|graphql-yoga|@pothos\/.+|@graphql-yoga\/.+)$/,
    ["src/server/graphql/", "src/server/http/", "src/server/app.ts", "codegen.ts", "fuzz/", "test/"],
  ],
];

const FORBIDDEN_NAMES = /^(utils?|helpers?|commons?|managers?|types?|misc)$|[-.](utils?|helpers?|manager)$/;

type Rule = (sources: readonly Source[]) => Omit<Violation, "rule">[];

/** References to files of ours, one by one, with where they stand. */
const eachReference = (sources: readonly Source[]) =>
  sources.flatMap((source) => source.references.map((to) => ({ source, to })));

const directions: Rule = (sources) =>
  eachReference(sources).flatMap(({ source, to }) => {
    const layer = LAYERS.find(([prefix]) => source.path.startsWith(prefix));
    if (!layer || to.file === undefined || to.file.endsWith(".json")) return [];
    const [prefix, mayImport] = layer;
    const target = to.file;
    if ([prefix, ...mayImport].some((allowed) => target.startsWith(allowed))) return [];
    return [{ path: source.path, message: `imports ${target}: not a way that leads from ${prefix}` }];
  });

const packages: Rule = (sources) =>
  eachReference(sources).flatMap(({ source, to }) => {
    const home = PACKAGE_HOMES.find(([pattern]) => to.package !== undefined && pattern.test(to.package));
    if (!home || home[1].some((allowed) => source.path.startsWith(allowed))) return [];
    return [{ path: source.path, message: `imports ${to.specifier}: only ${home[1].join(", ")} may` }];
  });

const missing: Rule = (sources) => {
  const known = new Set(sources.map((source) => source.path));
  return eachReference(sources).flatMap(({ source, to }) =>
    to.file === undefined ||
    !/\.(tsx?|m?js)$/.test(to.file) ||
    known.has(to.file) ||
    to.file.includes("/generated/")
      ? []
      : [{ path: source.path, message: `imports ${to.specifier}: there is no such file` }],
  );
};

/** Depth-first search over imports that are there at run time; reports each cycle once, where it is entered. */
const cycles: Rule = (sources) => {
  const edges = new Map(
    sources.map((source) => [
      source.path,
      source.references.filter((to) => !to.typeOnly).flatMap((to) => to.file ?? []),
    ]),
  );
  const done = new Set<string>();
  const found: Omit<Violation, "rule">[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) {
      found.push({ path, message: `imports itself: ${[...trail.slice(at), path].join(" → ")}` });
      return;
    }
    if (done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
};

const sizes: Rule = (sources) => {
  const long = sources.filter((source) => source.lines > READABLE_LINES);
  const found = sources
    .filter((source) => source.lines > MOST_LINES)
    .map((source) => ({ path: source.path, message: `${source.lines} lines: the most is ${MOST_LINES}` }));
  const share = 1 - long.length / Math.max(1, sources.length);
  if (share < READABLE_SHARE) {
    const percent = Math.round(share * 100);
    found.push({
      path: long.map((source) => source.path).join(", "),
      message: `only ${percent} % of the files have at most ${READABLE_LINES} lines`,
    });
  }
  return found;
};

const names: Rule = (sources) =>
  sources.flatMap(({ path }) =>
    path
      .replace(/\.(tsx?|m?js)$/, "")
      .split("/")
      .some((part) => FORBIDDEN_NAMES.test(part))
      ? [{ path, message: "name a file for the noun it defines or the verb it does" }]
      : [],
  );

const reexports: Rule = (sources) =>
  sources.flatMap(({ path, reexportsOnly }) =>
    reexportsOnly || posix.basename(path) === "index.ts"
      ? [{ path, message: "no index of re-exports: import from the file that defines it" }]
      : [],
  );

const unfinished: Rule = (sources) =>
  sources.flatMap(({ path, comments, code }) => {
    const found: Omit<Violation, "rule">[] = [];
    const mark = comments.map((comment) => /\b(TODO|FIXME|XXX|HACK)\b/.exec(comment)?.[0]).find(Boolean);
    if (mark) found.push({ path, message: `holds a ${mark}: do it, or write an issue` });
    const call = /\b(it|test|describe|suite)(\.\w+)*\.(only|skip|todo)\b/.exec(code)?.[0];
    if (call) found.push({ path, message: `${call}: every test runs` });
    return found;
  });

/** A server's and an executor's environment is read where the process starts; everything else gets it passed in. */
const ambient: Rule = (sources) =>
  sources.flatMap(({ path, code }) =>
    /^src\/(server|executors|shared)\//.test(path) &&
    !/\/(main|config|isolate-child)\.ts$/.test(path) &&
    /\bprocess\.env\b/.test(code)
      ? [{ path, message: "reads process.env: let main.ts or config.ts pass it in" }]
      : [],
  );

const RULES = {
  directions,
  packages,
  missing,
  cycles,
  sizes,
  names,
  reexports,
  unfinished,
  ambient,
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof RULES;

export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** Every broken rule of the tree, in rule order. */
export function checkArchitecture(sources: readonly Source[]): Violation[] {
  return RULE_NAMES.flatMap((rule) => RULES[rule](sources).map((found) => ({ rule, ...found })));
}

/** Files that are longer than reads well, longest first: a warning as long as they are few. */
export const longFiles = (sources: readonly Source[]): Source[] =>
  sources.filter((source) => source.lines > READABLE_LINES).toSorted((a, b) => b.lines - a.lines);
