import { createClient } from "graphql-ws";
import { WebSocket } from "ws";
import { z } from "zod";
import { startStack } from "../src/supervisor/stack.ts";
import { prepareToolchains } from "./toolchains.ts";
import { machine, quantile, rounded, table } from "./figures.ts";
import {
  BENCH_LANGUAGES,
  type BenchLanguage,
  fresh,
  importSum,
  importSum40,
  SOLUTIONS,
  SUM,
  SUM40,
} from "./sum.ts";

const WARM_UP = 5;
const RUNS = 30;
const TIMEOUT_MS = 60_000;

interface Program {
  readonly language: BenchLanguage;
  readonly source: string;
  readonly problem?: string;
}

const Submitted = z.object({
  data: z.object({ submitSubmission: z.object({ submission: z.object({ id: z.string() }) }) }),
});
const Update = z.object({
  verdictUpdated: z.object({
    state: z.string(),
    verdict: z.string().nullable(),
    judgement: z.object({ deadLetter: z.object({ code: z.string(), reason: z.string() }).nullable() }),
  }),
});
const Offers = z.object({
  data: z.object({
    languages: z.array(z.object({ language: z.object({ id: z.string() }), offered: z.boolean() })),
  }),
});

/**
 * From the start of the submit request to the final update at a subscriber on WebSocket, one after the other, warm.
 * "cppCached" submits one C++ program again and again, so that its artefact comes from the cache; every other row
 * compiles each program anew: "cppAllHeaders" with bits/stdc++.h. "javascript40Tests" has forty tests instead of three.
 * What executors make in the background is there before. `only`: languages to measure.
 */
export async function verdict(
  only: readonly string[] = BENCH_LANGUAGES,
): Promise<{ p50Ms: Record<string, number>; p99Ms: Record<string, number> }> {
  console.log(machine());
  await prepareToolchains(only);
  const stack = await startStack({
    pools: [{ name: "all", languages: [...BENCH_LANGUAGES], slots: 2 }],
    env: process.env,
    extraEnv: { server: { DOCKET_LOG_LEVEL: "error" }, executors: { DOCKET_LOG_LEVEL: "error" } },
    onLine: (name, line) => {
      if (!["mongod", "nats-server"].includes(name)) console.error(`${name}: ${line}`);
    },
  });
  const authorization = `Bearer ${stack.keys.participant}`;
  const ask = async (query: string, variables: object = {}): Promise<unknown> => {
    const response = await fetch(`${stack.url}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization },
      body: JSON.stringify({ query, variables }),
    });
    return await response.json();
  };
  const client = createClient({
    url: `${stack.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { Authorization: authorization },
    lazy: false,
  });

  /** Milliseconds to the final update. Throws when it is not "Accepted". */
  async function once({ language, source, problem = SUM }: Program): Promise<number> {
    const begin = performance.now();
    const answer = await ask(
      `mutation ($input: SubmitSubmissionInput!) { submitSubmission(input: $input) {
        ... on SubmitSubmissionSuccess { submission { id } } ... on UserError { code message } } }`,
      { input: { problem, language, source } },
    );
    const submitted = Submitted.safeParse(answer);
    if (!submitted.success) throw new Error(`${language} was not accepted: ${JSON.stringify(answer)}`);
    const { id } = submitted.data.data.submitSubmission.submission;
    const updates = client.iterate({
      query: `subscription ($id: ID!) {
        verdictUpdated(submissionId: $id) { state verdict judgement { deadLetter { code reason } } }
      }`,
      variables: { id },
    });
    const late = setTimeout(() => void updates.return?.(), TIMEOUT_MS);
    try {
      for await (const { data, errors } of updates) {
        if (errors) throw new Error(JSON.stringify(errors));
        const { state, verdict: given, judgement } = Update.parse(data).verdictUpdated;
        if (state === "FINISHED" && given === "AC") return performance.now() - begin;
        if (["FINISHED", "FAILED", "CANCELLED"].includes(state)) {
          const reason = JSON.stringify(judgement.deadLetter);
          throw new Error(`${language} ended ${state} ${given}, and not accepted: ${reason}`);
        }
      }
    } finally {
      clearTimeout(late);
    }
    throw new Error(`${language} had no verdict after ${TIMEOUT_MS} ms`);
  }

  async function series(name: string, program: (n: number) => Program): Promise<number[]> {
    const samples: number[] = [];
    for (let n = 0; n < WARM_UP + RUNS; n++) {
      const ms = await once(program(n));
      if (n >= WARM_UP) samples.push(ms);
    }
    console.error(`${name}: done`);
    return samples;
  }

  try {
    await Promise.all([importSum(stack), importSum40(stack)]);
    const offers = Offers.parse(await ask("{ languages { language { id } offered } }")).data.languages;
    const offered = BENCH_LANGUAGES.filter(
      (id) => only.includes(id) && offers.some((offer) => offer.language.id === id && offer.offered),
    );
    const rows: [name: string, samples: number[]][] = [];
    const row = async (name: string, program: (n: number) => Program): Promise<void> => {
      rows.push([name, await series(name, program)]);
    };
    for (const language of offered) {
      const made = (n: number): Program => ({ language, source: fresh(language, `run ${n}`) });
      await row(language, made);
      if (language === "cpp") {
        await row("cppCached", () => ({ language, source: SOLUTIONS.cpp }));
        const all = (text: string): string => text.replace("<iostream>", "<bits/stdc++.h>");
        await row("cppAllHeaders", (n) => ({ language, source: all(made(n).source) }));
      }
      if (language === "javascript") {
        await row("javascript40Tests", (n) => ({ ...made(RUNS * 2 + n), problem: SUM40 }));
      }
    }
    const at = (samples: readonly number[], share: number): number => rounded(quantile(samples, share));
    console.log(
      table([
        ["submit to final update", "p50 ms", "p90 ms", "p99 ms", "max ms"],
        ...rows.map(([name, samples]) => [name, ...[0.5, 0.9, 0.99, 1].map((share) => at(samples, share))]),
      ]),
    );
    return {
      p50Ms: Object.fromEntries(rows.map(([name, samples]) => [name, at(samples, 0.5)])),
      p99Ms: Object.fromEntries(rows.map(([name, samples]) => [name, at(samples, 0.99)])),
    };
  } finally {
    await client.dispose();
    await stack.stop();
  }
}
