import { randomBytes } from "node:crypto";
import { z } from "zod";

/** 26 characters of Crockford base32: 48 bits of time, 80 of chance. Sorts by time; safe as a NATS subject token. */
export const SubmissionId = z
  .string()
  .regex(/^[0-9a-hjkmnp-tv-z]{26}$/, "a submission id has 26 lower-case base32 characters")
  .brand<"SubmissionId">();
export type SubmissionId = z.infer<typeof SubmissionId>;

/** Lower-case hex SHA-256 of a blob's bytes. */
export const Sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "a blob's name is 64 lower-case hex digits")
  .brand<"Sha256">();
export type Sha256 = z.infer<typeof Sha256>;

/** Problem short name, as in the Kattis format: also safe in URLs and file names. */
export const ProblemId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_.-]{0,63}$/,
    "a problem id is 1 to 64 of a-z, 0-9, '_', '-', '.' and starts with a letter or digit",
  )
  .brand<"ProblemId">();
export type ProblemId = z.infer<typeof ProblemId>;

/** A contest's short name; safe in URLs. */
export const ContestId = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9_.-]{0,63}$/,
    "a contest's id is 1 to 64 of a-z, 0-9, '_', '-', '.' and starts with a letter or digit",
  )
  .brand<"ContestId">();
export type ContestId = z.infer<typeof ContestId>;

/** Name of one executor process; a NATS subject token. */
export const ExecutorId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, "an executor id is 1 to 63 of a-z, 0-9, '_', '-'")
  .brand<"ExecutorId">();
export type ExecutorId = z.infer<typeof ExecutorId>;

/** A rejudge; sorts by time. */
export const RejudgeId = z
  .string()
  .regex(/^rejudge-[0-9a-hjkmnp-tv-z]{26}$/, "a rejudge's id is rejudge- and 26 lower-case base32 characters")
  .brand<"RejudgeId">();
export type RejudgeId = z.infer<typeof RejudgeId>;

/** A webhook; sorts by time. */
export const WebhookId = z
  .string()
  .regex(/^hook-[0-9a-hjkmnp-tv-z]{26}$/, "a webhook's id is hook- and 26 lower-case base32 characters")
  .brand<"WebhookId">();
export type WebhookId = z.infer<typeof WebhookId>;

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

/** The 10 characters of an id that say when. */
function timePart(ms: number): string {
  let time = "";
  for (let rest = Math.max(0, ms), i = 0; i < 10; i++) {
    time = ALPHABET.charAt(rest % 32) + time;
    rest = Math.floor(rest / 32);
  }
  return time;
}

/** Lower bound of all ids made at `ms` or later. */
export const firstSubmissionId = (ms: number): SubmissionId =>
  (timePart(ms) + "0".repeat(16)) as SubmissionId;

export function newSubmissionId(nowMs: number): SubmissionId {
  const time = timePart(nowMs);
  let chance = "";
  for (const byte of randomBytes(16)) chance += ALPHABET.charAt(byte & 31);
  return (time + chance) as SubmissionId;
}

export const newRejudgeId = (nowMs: number): RejudgeId => `rejudge-${newSubmissionId(nowMs)}` as RejudgeId;

export const newWebhookId = (nowMs: number): WebhookId => `hook-${newSubmissionId(nowMs)}` as WebhookId;

/** A judgement's id: `<submission>#<generation>`. */
export type JudgementId = string & { readonly __brand: "JudgementId" };

export function judgementId(submission: SubmissionId, generation: number): JudgementId {
  return `${submission}#${generation}` as JudgementId;
}

export const submissionOf = (id: JudgementId): SubmissionId => id.slice(0, id.indexOf("#")) as SubmissionId;
