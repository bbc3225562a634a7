import { join } from "node:path";
import { z } from "zod";
import { envInt, readEnv } from "../shared/env.ts";
import { ROOT } from "./checkout.ts";

/** What `npm start` and `npm run demo` take from the environment. */
const StartEnv = z.object({
  /** Folder kept between starts. */
  DOCKET_DATA: z.string().optional(),
  /** Pool configuration. */
  DOCKET_CONFIG: z.string().default(join(ROOT, "docket.config.json")),
  DOCKET_HOST: z.string().default("127.0.0.1"),
  DOCKET_PORT: z.coerce.number().int().min(0).max(65_535).optional(),
  DOCKET_GRACE_MS: envInt(10_000),
  DOCKET_TOPOLOGY_PREFIX: z.string().default(""),
  /** Copies of each stream: 3 on a NATS cluster. */
  DOCKET_REPLICAS: envInt(1, 1),
  MONGODB_URL: z.string().optional(),
  MONGODB_DATABASE: z.string().default("docket"),
  NATS_URL: z.string().optional(),
  NATS_USER: z.string().optional(),
  NATS_PASSWORD: z.string().optional(),
});
export type StartSettings = z.infer<typeof StartEnv>;

/** Throws EnvironmentError with all problems. */
export const readSettings = (env: NodeJS.ProcessEnv): StartSettings => readEnv(StartEnv, env);
