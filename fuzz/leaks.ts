/**
 * What no client may ever be shown: where the server runs, what it is made of, and how it broke. Words that the input
 * itself held are not counted: a message may name what it refuses.
 */
const INSIDES: readonly RegExp[] = [
  /\bat (?:async )?[\w.<>$ [\]]* ?\(?(?:file:|node:|\/)\S+:\d+:\d+/,
  /\/(?:work|tmp|root|home|usr|var|opt|proc|srv)\/[\w.-]+/,
  /node_modules|node:internal|\b[\w-]+\.(?:ts|mjs|cjs|js):\d+/,
  /mongo|\bbson\b|\bE11000\b|gridfs|wiredtiger/i,
  /\bnats\b|jetstream|\$JS\./i,
  /\b(?:Type|Reference|Range|Syntax|Assertion|Zod|Abort)Error\b/,
  /Cannot (?:read|set|convert|destructure)|is not (?:a function|iterable|a constructor)|\(reading '/,
  /\bE(?:CONN\w+|NOENT|ACCES|PIPE|ISDIR|NAMETOOLONG|INVAL|MFILE)\b/,
  /"(?:invalid_type|invalid_union|too_small|too_big|unrecognized_keys)"/,
  /\[object \w+\]|\bundefined\b/,
];

/** The first thing in `answer` that does not come from `input` and tells of our insides. */
export function findLeak(answer: string, input: string): string | undefined {
  for (const pattern of INSIDES) {
    const found = pattern.exec(answer);
    if (found !== null && !input.toLowerCase().includes(found[0].toLowerCase())) {
      return answer.slice(Math.max(0, found.index - 40), found.index + found[0].length + 40);
    }
  }
  return undefined;
}

/** Put off because of a limit, which it names: no fault. */
const putOff = (body: string): boolean =>
  /\(limit \w+\)/.test(body) && body.includes('"code":"SERVICE_UNAVAILABLE"');

/** Words by which the server says that something of its own went wrong. */
export const ownFault = (status: number, body: string): boolean =>
  (status >= 500 && !putOff(body)) ||
  body.includes('"code":"INTERNAL_SERVER_ERROR"') ||
  body.includes("Unexpected error");
