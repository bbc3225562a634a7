import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";
import type { LanguageId } from "../src/shared/language.ts";

/** The problem that benchmarks submit to: read two numbers, print their sum; three small tests. */

export const SUM = "bench-sum";

const FILES: Record<string, string> = {
  "problem.yaml":
    "problem_format_version: 2025-09\nname: Sum\ntype: pass-fail\nlimits:\n  time_limit: 2\n  memory: 512\n",
  "data/sample/1.in": "1 2\n",
  "data/sample/1.ans": "3\n",
  "data/secret/1.in": "1000000 2000000\n",
  "data/secret/1.ans": "3000000\n",
  "data/secret/2.in": "-5 5\n",
  "data/secret/2.ans": "0\n",
};

/** A right program in each language. */
export const SOLUTIONS = {
  c: '#include <stdio.h>\nint main(void) {\n  long a, b;\n  if (scanf("%ld %ld", &a, &b) != 2) return 1;\n  printf("%ld\\n", a + b);\n}\n',
  cpp: '#include <iostream>\nint main() {\n  long a, b;\n  std::cin >> a >> b;\n  std::cout << a + b << "\\n";\n}\n',
  python: "a, b = map(int, input().split())\nprint(a + b)\n",
  java: "import java.util.Scanner;\nclass Main {\n  public static void main(String[] args) {\n    Scanner in = new Scanner(System.in);\n    System.out.println(in.nextLong() + in.nextLong());\n  }\n}\n",
  go: 'package main\n\nimport "fmt"\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a + b)\n}\n',
  rust: 'use std::io::read_to_string;\nfn main() {\n    let text = read_to_string(std::io::stdin()).unwrap();\n    let sum: i64 = text.split_whitespace().map(|n| n.parse::<i64>().unwrap()).sum();\n    println!("{sum}");\n}\n',
  javascript:
    'const [a, b] = require("fs").readFileSync(0, "utf8").trim().split(/\\s+/).map(Number);\nconsole.log(a + b);\n',
} as const satisfies Partial<Record<LanguageId, string>>;

export type BenchLanguage = keyof typeof SOLUTIONS;
export const BENCH_LANGUAGES = Object.keys(SOLUTIONS) as readonly BenchLanguage[];

const COMMENTS: Readonly<Record<BenchLanguage, string>> = {
  c: "//",
  cpp: "//",
  python: "#",
  java: "//",
  go: "//",
  rust: "//",
  javascript: "//",
};

/** The right program with a comment in front that makes it a new one, as from another person. */
export const fresh = (language: BenchLanguage, mark: string): string =>
  `${COMMENTS[language]} ${mark}\n${SOLUTIONS[language]}`;

const Answer = z.object({
  data: z.object({ importProblem: z.object({ type: z.literal("ImportProblemSuccess") }) }),
});

/** The same with forty tests. */
export const SUM40 = "bench-sum40";

const manyTests = (count: number): Record<string, string> =>
  Object.fromEntries(
    Array.from({ length: count - 3 }, (_, n) => [
      [`data/secret/more-${n}.in`, `${n} ${n * 1_000}\n`],
      [`data/secret/more-${n}.ans`, `${n * 1_001}\n`],
    ]).flat(),
  );

type ImportInto = { readonly url: string; readonly keys: { readonly jury: string } };

/** Imports the problem through the public API. Throws with the server's answer when it is refused. */
export const importSum = (stack: ImportInto): Promise<void> => importFiles(stack, SUM, FILES);
export const importSum40 = (stack: ImportInto): Promise<void> =>
  importFiles(stack, SUM40, { ...FILES, ...manyTests(40) });

async function importFiles(stack: ImportInto, id: string, files: Record<string, string>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "docket-bench-"));
  try {
    for (const [path, text] of Object.entries(files)) {
      const file = join(folder, id, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, text);
    }
    const archive = await promisify(execFile)("tar", ["cz", "-C", folder, id], { encoding: "buffer" });
    const response = await fetch(`${stack.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${stack.keys.jury}` },
      body: JSON.stringify({
        query: `mutation ($archiveBase64: String!) {
          importProblem(input: { archiveBase64: $archiveBase64, archiveName: "${id}.tar.gz" }) {
            type: __typename ... on UserError { code message } ... on PackageRefused { findings { file message } }
          }
        }`,
        variables: { archiveBase64: archive.stdout.toString("base64") },
      }),
    });
    const answer: unknown = await response.json();
    if (!Answer.safeParse(answer).success) {
      throw new Error(`the problem was not imported: ${JSON.stringify(answer)}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
