import { createHash, createHmac, hkdfSync, randomBytes } from "node:crypto";
import type { WebhookId } from "../../shared/ids.ts";
import type { WebhookKey } from "../store/webhooks.ts";

/** Signatures as the Standard Webhooks specification has them (standardwebhooks.com). */

const SECRET_BYTES = 32;

/** Derived from the server's own secret: none is stored, and it can be shown once only because nobody asks again. */
const secretOf = (serverSecret: string, id: WebhookId, salt: string): Buffer =>
  Buffer.from(hkdfSync("sha256", serverSecret, salt, `docket webhook ${id}`, SECRET_BYTES));

const fingerprintOf = (secret: Buffer): string =>
  createHash("sha256").update(secret).digest("hex").slice(0, 16);

/** A new secret as its receiver wants it, and what is kept of it. */
export function makeSecret(serverSecret: string, id: WebhookId): { secret: string; key: WebhookKey } {
  const salt = randomBytes(16).toString("hex");
  const secret = secretOf(serverSecret, id, salt);
  return { secret: `whsec_${secret.toString("base64")}`, key: { salt, fingerprint: fingerprintOf(secret) } };
}

export interface SignInput {
  readonly webhook: WebhookId;
  readonly keys: readonly WebhookKey[];
  /** Of the delivery. */
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/**
 * The three headers of a signed delivery; undefined when the server's secret is another than the one that the newest
 * key was made with, so that no receiver could check them.
 */
export function signedHeaders(serverSecret: string, input: SignInput): Record<string, string> | undefined {
  const { id, at, body } = input;
  const timestamp = String(Math.floor(at.getTime() / 1000));
  const living = input.keys.filter(({ until }) => until === undefined || until > at);
  const signatures: string[] = [];
  for (const { salt, fingerprint } of living) {
    const secret = secretOf(serverSecret, input.webhook, salt);
    if (fingerprintOf(secret) !== fingerprint) continue;
    const mac = createHmac("sha256", secret).update(`${id}.${timestamp}.${body}`).digest("base64");
    signatures.push(`v1,${mac}`);
  }
  if (signatures.length === 0) return undefined;
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.join(" ") };
}
