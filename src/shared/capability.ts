import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { Sha256, SubmissionId } from "./ids.ts";

/** As it goes over the wire: two parts in base64url. It is sent in a header, so nothing else may be in it. */
export const Capability = z
  .string()
  .max(8192)
  .regex(/^[\w.-]*$/);

/**
 * What a job allows its holder: to fetch the blobs it names (and those that a named manifest names) and to send
 * events for this submission, generation and dispatch. The server signs it, nobody else can make one, and a
 * compromised executor can touch the jobs it holds and nothing else.
 */
export const CapabilityClaims = z.object({
  submission: SubmissionId,
  generation: z.int().min(1),
  dispatch: z.int().min(1),
  /** Source blobs and the problem manifest. */
  blobs: z.array(Sha256),
});
export type CapabilityClaims = z.infer<typeof CapabilityClaims>;

const mac = (secret: string, body: string): Buffer => createHmac("sha256", secret).update(body).digest();

/** `<base64url JSON claims>.<base64url HMAC-SHA256>`. */
export function issueCapability(secret: string, claims: CapabilityClaims): string {
  const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
  return `${body}.${mac(secret, body).toString("base64url")}`;
}

/** The claims of a capability that `secret` signed, or undefined for anything else. */
export function readCapability(secret: string, capability: string): CapabilityClaims | undefined {
  const dot = capability.indexOf(".");
  if (dot < 0) return undefined;
  const body = capability.slice(0, dot);
  const given = Buffer.from(capability.slice(dot + 1), "base64url");
  const right = mac(secret, body);
  if (given.length !== right.length || !timingSafeEqual(given, right)) return undefined;
  return CapabilityClaims.parse(JSON.parse(Buffer.from(body, "base64url").toString()));
}
