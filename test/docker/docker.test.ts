import { execFile, execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { beforeAll, describe, expect, it } from "vitest";
import { readConfig, readSandboxEnvironment } from "../../src/executors/config.ts";
import { LANGUAGE_DEFINITIONS } from "../../src/executors/languages/languages.ts";
import { readConfig as readServerConfig } from "../../src/server/config.ts";
import { ExecutorId } from "../../src/shared/ids.ts";
import { Lane } from "../../src/shared/lane.ts";
import { LanguageId } from "../../src/shared/language.ts";
import { executorAllowance } from "../../src/supervisor/natsusers.ts";
import { binaryPath } from "../support/binaries.ts";
import { hadolint, hasGo, loadCompose, parseDockerfile, type Project } from "./parsers.ts";

const root = join(import.meta.dirname, "../..");
const docker = join(root, "docker");
const read = (name: string): string => readFileSync(join(docker, name), "utf8");

/** What docker/secrets.sh prints, as an environment. */
const secrets = Object.fromEntries(
  execFileSync("sh", [join(docker, "secrets.sh")], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.split("=") as [string, string]),
);

const isExecutor = (name: string): boolean => /-\d+$/.test(name);

/** Throws with nats-server's words when it refuses the file. */
const checkNatsConf = (env: Record<string, string>, name = "nats.conf"): string =>
  execFileSync(binaryPath("nats-server"), ["-t", "-c", join(docker, name)], {
    env,
    encoding: "utf8",
    stdio: "pipe",
  });

it("the executor's image has the toolchains of every language", () => {
  const words = read("Dockerfile.executor").split(/\s+/);
  for (const { packages } of Object.values(LANGUAGE_DEFINITIONS)) {
    expect(words).toEqual(expect.arrayContaining([...packages]));
  }
});

describe.each(["Dockerfile.server", "Dockerfile.executor"])("%s", (name) => {
  it("has no finding of hadolint", async () => {
    expect(await hadolint(join(docker, name))).toBe("");
  });

  it("copies only what is there", () => {
    const sources = [...read(name).matchAll(/^COPY (.+) \S+$/gm)].flatMap(
      ([, list]) => list?.split(" ") ?? [],
    );
    expect(sources.length).toBeGreaterThan(3);
    for (const source of sources) expect(existsSync(join(root, source)), source).toBe(true);
  });

  it.runIf(hasGo)("parses with BuildKit, without a warning", async () => {
    await parseDockerfile(join(docker, name));
  });
});

describe.each(["secrets.sh", "executor-entrypoint.sh"])("%s", (name) => {
  it("is a program that the shell can read", () => {
    expect(statSync(join(docker, name)).mode & 0o111).not.toBe(0);
    execFileSync("sh", ["-n", join(docker, name)]);
  });
});

describe("secrets", () => {
  it("are every required variable of the compose files and nats.conf, and long", () => {
    const files = read("compose.yaml") + read("compose.cluster.yaml");
    const asked = [...files.matchAll(/\$\{(\w+):\?/g)].map(([, variable]) => variable);
    expect(new Set(Object.keys(secrets))).toEqual(new Set(asked));
    for (const [, variable] of read("nats.conf").matchAll(/password: \$(\w+)/g))
      expect(asked).toContain(variable);
    for (const secret of Object.values(secrets)) expect(secret.length).toBeGreaterThanOrEqual(32);
  });
});

describe("nats.conf", () => {
  it("is valid for nats-server", () => {
    checkNatsConf(secrets);
  });

  it("is refused without its passwords", () => {
    expect(() => checkNatsConf({})).toThrow(/variable reference/);
  });
});

describe.runIf(hasGo)("compose.cluster.yaml", () => {
  let services: Project["services"];
  beforeAll(async () => {
    const files = ["compose.yaml", "compose.cluster.yaml"].map((name) => join(docker, name));
    ({ services } = await loadCompose(files.join(), secrets));
  }, 300_000);

  it("has three of each store, two servers, and tells all of them to everybody", () => {
    const named = (of: string): string[] =>
      Object.keys(services).filter((name) => name.replace(/-[bc]$/, "") === of);
    expect(["mongo", "nats", "server"].map((of) => named(of).length)).toEqual([3, 3, 2]);
    for (const [name, { environment }] of Object.entries(services)) {
      if (environment["NATS_URL"] === undefined) continue;
      expect(environment["NATS_URL"], name).toBe(
        named("nats")
          .toSorted()
          .map((nats) => `nats://${nats}:4222`)
          .join(),
      );
    }
    for (const name of named("server")) {
      const { environment } = readServerConfig(services[name]?.environment as Record<string, string>);
      expect(environment.DOCKET_REPLICAS).toBe(3);
      expect(environment.MONGODB_URL).toContain("mongo:27017,mongo-b:27017,mongo-c:27017");
    }
  });

  it("gives each broker a name of its own, both configuration files and a volume; nats-server takes them", () => {
    for (const name of ["nats", "nats-b", "nats-c"]) {
      const { environment, volumes = [] } = services[name] ?? {};
      expect(environment?.["NATS_NAME"]).toBe(name);
      expect(volumes.map(({ type }) => type).toSorted()).toEqual(["bind", "bind", "volume"]);
      checkNatsConf(environment as Record<string, string>, "nats.cluster.conf");
    }
  });

  it("publishes nothing more than the one server", () => {
    expect(Object.keys(services).filter((name) => (services[name]?.ports.length ?? 0) > 0)).toEqual([
      "server",
    ]);
  });
});

describe.runIf(hasGo)("compose.yaml", () => {
  let project: Project;
  beforeAll(async () => {
    project = await loadCompose(join(docker, "compose.yaml"), secrets);
  }, 300_000);

  const service = (name: string): Project["services"][string] => {
    const found = project.services[name];
    if (!found) throw new Error(`no service ${name}`);
    return found;
  };

  it("is refused without its secrets", async () => {
    await expect(loadCompose(join(docker, "compose.yaml"), {})).rejects.toThrow("DOCKET_CAPABILITY_SECRET");
  });

  it("publishes nothing but the server, on loopback", () => {
    for (const [name, { ports }] of Object.entries(project.services)) {
      expect(
        ports.map((port) => `${port.host_ip}:${port.published}`),
        name,
      ).toEqual(name === "server" ? ["127.0.0.1:4000"] : []);
    }
  });

  it("keeps MongoDB and executors apart, and both off the outside network", () => {
    const on = (network: string): string[] =>
      Object.entries(project.services)
        .filter(([, { networks }]) => network in networks)
        .map(([name]) => name);
    expect(on("store")).toEqual(["mongo", "server"]);
    expect(on("edge")).toEqual(["server"]);
    expect(project.networks["store"]?.internal).toBe(true);
    expect(project.networks["queue"]?.internal).toBe(true);
  });

  it("runs nothing privileged, and gives executors the listed capabilities alone", () => {
    for (const [name, { privileged, cap_add, cap_drop }] of Object.entries(project.services)) {
      expect(privileged, name).toBe(false);
      if (isExecutor(name)) expect(cap_drop, name).toEqual(["ALL"]);
      else expect(cap_add, name).toEqual([]);
    }
  });

  it("watches the health of all services; images of ours say it themselves", () => {
    for (const [name, { healthcheck, build }] of Object.entries(project.services)) {
      if (!build) expect(healthcheck, name).toBeDefined();
      else expect(readFileSync(join(root, build.dockerfile), "utf8"), name).toContain("\nHEALTHCHECK ");
    }
  });

  it("gives each executor an id, a user and a folder of its own", () => {
    const executors = Object.keys(project.services).filter(isExecutor);
    expect(executors.length).toBeGreaterThan(2);
    for (const name of executors) {
      const { environment, volumes } = service(name);
      expect(environment["DOCKET_EXECUTOR_ID"]).toBe(name);
      expect(environment["NATS_USER"]).toBe(name);
      expect(volumes.map((volume) => volume.source)).toEqual([name]);
      expect(environment["MONGODB_URL"], "executors know no database").toBeUndefined();
    }
    const users = [...read("nats.conf").matchAll(/user: "([^"]+)"/g)].map(([, user]) => user);
    expect(new Set(users)).toEqual(new Set([...executors, "server"]));
  });

  it("leaves executors the capabilities that the sandbox needs", async () => {
    const listed = service("scripts-1").cap_add.map((name) => name.toLowerCase());
    const run = async (capabilities: readonly string[]): Promise<string> => {
      const folder = await mkdtemp(join(tmpdir(), "docket-capabilities-"));
      const bounding = ["-all", ...capabilities.map((name) => `+${name}`)].join(",");
      const probe = [join(import.meta.dirname, "sandboxprobe.ts"), binaryPath("bwrap"), folder, "777001"];
      try {
        const args = [`--bounding-set=${bounding}`, process.execPath, ...probe];
        return (await promisify(execFile)("setpriv", args, { timeout: 20_000 })).stdout;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    };
    expect(JSON.parse(await run(listed))).toEqual([
      { status: { type: "exited", code: 0 }, output: "777002\nCapEff:\t0000000000000000\n" },
      { status: { type: "limit", limit: "wall" }, output: "" },
    ]);
    // Without any one of them it says so by name, and starts nothing.
    for (const left of listed) {
      await expect(run(listed.filter((name) => name !== left))).rejects.toThrow(
        `the sandbox needs (${left.toUpperCase()})`,
      );
    }
  });

  it("gives the server an environment that it accepts", () => {
    const config = readServerConfig(service("server").environment as Record<string, string>);
    expect(config.allowedHosts).toContain("server");
  });

  it("gives each executor an environment that it accepts", () => {
    const image = Object.fromEntries(
      [...read("Dockerfile.executor").matchAll(/(DOCKET_\w+)=(\S+)/g)].map(([, name, value]) => [
        name,
        value,
      ]),
    );
    for (const name of Object.keys(project.services).filter(isExecutor)) {
      const env = { ...image, ...service(name).environment } as Record<string, string>;
      expect(readConfig(env).id).toBe(name);
      expect(readSandboxEnvironment(env).uid).toBeGreaterThan(0);
    }
  });

  it("gives each executor the permissions that the supervisor would, in nats.conf", () => {
    const lists = (block: string): string[][] =>
      [...block.matchAll(/allow: \[([^\]]*)\]/g)].map(([, items = ""]) =>
        [...items.matchAll(/"([^"]+)"/g)].map(([, subject = ""]) => subject),
      );
    for (const block of read("nats.conf")
      .split(/^ {4}\{$/m)
      .slice(1)) {
      const id = ExecutorId.parse(/user: "([^"]+)"/.exec(block)?.[1]);
      const { environment } = service(id);
      const expected = executorAllowance(
        { prefix: "", replicas: 1 },
        {
          id,
          languages: environment["DOCKET_LANGUAGES"]?.split(",").map((one) => LanguageId.parse(one)) ?? [],
          lanes: environment["DOCKET_LANES"]?.split(",").map((one) => Lane.parse(one)) ?? [],
        },
      );
      const [publish = [], subscribe = []] = lists(block);
      expect(new Set(publish), `${id} publishes`).toEqual(new Set(expected.publish));
      expect(new Set(subscribe), `${id} subscribes`).toEqual(new Set(expected.subscribe));
    }
  });
});
