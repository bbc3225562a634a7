import { join } from "node:path";
import { type Expectation, missOf } from "../../src/cli/expectation.ts";
import type { SubmissionView } from "../../src/cli/operations.ts";
import { readPrograms } from "../../src/cli/programs.ts";
import type { LanguageId } from "../../src/shared/language.ts";
import { createRandom, type Random } from "./random.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples/problems");
/** How often programs of each of our examples come: those with one test most often, as a run is to be long by number. */
const PROBLEMS = { hello: 24, sum: 2, divisors: 1, twopiles: 1 };
const PROBLEM_IDS = ["hello", "sum", "divisors", "twopiles"] as const;
/** The first example with a limit that endless loops reach soon. */
const BLINK = "blink";

/** Package folders of all problems that are used. */
export const PROBLEM_FOLDERS: readonly string[] = [
  ...Object.keys(PROBLEMS).map((id) => join(EXAMPLES, id)),
  join(import.meta.dirname, "problems", BLINK),
];

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
const WEIGHTS = { AC: 46, WA: 18, RTE: 16, CE: 12, long: 5, TLE: 3 };
/** How often each language of the two pools comes: less often where a program costs more. */
const LANGUAGES: Readonly<Partial<Record<LanguageId, number>>> = {
  python: 20,
  javascript: 6,
  c: 30,
  cpp: 3,
  go: 2,
  rust: 1,
  java: 1,
};

const COMMENT: Partial<Record<LanguageId, string>> = { python: "#" };

/** Asleep for seconds: there to be killed in the middle, at no cost in CPU time. */
const longProgram = (seconds: number): string =>
  `import time\ntime.sleep(${seconds.toFixed(2)})\nprint("Hello World!")\n`;

interface Sample {
  readonly problem: keyof typeof PROBLEMS;
  readonly language: LanguageId;
  readonly entryPoint: string | undefined;
  readonly files: readonly { readonly name: string; readonly content: string }[];
  readonly expectation: Expectation;
}

/** One of them, by the weights of its language and problem. */
function pickSample(random: Random, samples: readonly Sample[]): Sample {
  const weights = Object.fromEntries(
    samples.map(({ language, problem }, index) => [index, (LANGUAGES[language] ?? 0) * PROBLEMS[problem]]),
  );
  const picked = samples[Number(random.weighted(weights))];
  if (picked === undefined) throw new Error("nothing to pick from");
  return picked;
}

/** The programs of our examples; gives the n-th submission of a seed. */
export async function readWork(seed: number): Promise<(number: number) => Work> {
  const samples = new Map<string, Sample[]>();
  for (const problem of PROBLEM_IDS) {
    for (const { language, expectation, ...program } of await readPrograms(join(EXAMPLES, problem))) {
      if (language === undefined) continue;
      // Too slow for every problem is what never ends; the short limit makes it cheap.
      if (expectation.label === "TLE" && problem !== "hello") continue;
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
    const { expectation, ...sample } = pickSample(random, samples.get(kind) ?? []);
    // Every eighth one is new to all caches.
    const mark = random.next() < 1 / 8 ? `\n${COMMENT[sample.language] ?? "//"} ${seed}-${number}\n` : "";
    return {
      ...sample,
      problem: kind === "TLE" ? BLINK : sample.problem,
      files: sample.files.map(({ name, content }, index) => ({
        name,
        content: index === 0 ? content + mark : content,
      })),
      miss: (view) => missOf(expectation, view),
    };
  };
}
