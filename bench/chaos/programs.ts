import { join } from "node:path";
import { type Expectation, missOf } from "../../src/cli/expectation.ts";
import type { SubmissionView } from "../../src/cli/operations.ts";
import { readPrograms } from "../../src/cli/programs.ts";
import type { LanguageId } from "../../src/shared/language.ts";
import { createRandom } from "./random.ts";

const PROBLEMS = join(import.meta.dirname, "../../examples/problems");
export const PROBLEM_IDS = ["hello", "sum", "divisors", "twopiles"] as const;
export const problemFolder = (id: string): string => join(PROBLEMS, id);

/** What is handed in, and how to tell whether its verdict is the right one. */
export interface Work {
  readonly problem: string;
  readonly language: LanguageId;
  readonly entryPoint: string | undefined;
  readonly files: readonly { readonly name: string; readonly content: string }[];
  /** Undefined when it came out as it must, else what came out. */
  miss(view: SubmissionView): string | undefined;
}

/** How often each kind of program comes. */
const WEIGHTS = { AC: 40, WA: 16, RTE: 14, CE: 12, long: 12, TLE: 6 };

const COMMENT: Partial<Record<LanguageId, string>> = { python: "#" };

/** Asleep for seconds: there to be killed in the middle, at no cost in CPU time. */
const longProgram = (seconds: number): string =>
  `import time\ntime.sleep(${seconds.toFixed(2)})\nprint("Hello World!")\n`;

interface Sample {
  readonly problem: string;
  readonly language: LanguageId;
  readonly entryPoint: string | undefined;
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly expectation: Expectation;
}

/** The programs of our own problem packages in these languages; gives the n-th submission of a seed. */
export async function readWork(
  languages: readonly LanguageId[],
  seed: number,
): Promise<(number: number) => Work> {
  const samples = new Map<string, Sample[]>();
  for (const problem of PROBLEM_IDS) {
    for (const { language, expectation, ...program } of await readPrograms(problemFolder(problem))) {
      if (language === undefined || !languages.includes(language)) continue;
      const of = samples.get(expectation.label) ?? [];
      of.push({ problem, language, expectation, ...program });
      samples.set(expectation.label, of);
    }
  }
  return (number) => {
    const random = createRandom(seed * 1_000_003 + number);
    const kind = random.weighted(WEIGHTS);
    if (kind === "long") {
      const content = longProgram(0.5 + random.next() * 2.5);
      return {
        problem: "hello",
        language: "python",
        entryPoint: undefined,
        files: [{ name: "long.py", content }],
        miss: ({ verdict }) => (verdict === "AC" ? undefined : String(verdict)),
      };
    }
    const { expectation, ...sample } = random.pick(samples.get(kind) ?? []);
    // Every third one is new to all caches.
    const mark = random.next() < 1 / 3 ? `\n${COMMENT[sample.language] ?? "//"} ${seed}-${number}\n` : "";
    return {
      ...sample,
      files: sample.files.map(({ name, content }, index) => ({
        name,
        content: index === 0 ? content + mark : content,
      })),
      miss: (view) => missOf(expectation, view),
    };
  };
}
