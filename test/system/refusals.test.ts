import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createClient } from "../../src/cli/client.ts";
import { LANGUAGES } from "../../src/cli/operations.ts";
import { processesWith } from "../support/processes.ts";
import { makeHome, startSupervisor, type Supervisor } from "../support/supervisor.ts";

/** Starts that cannot succeed: each ends by itself, non-zero, with words that say what to do, and leaves nothing. */

let home: Awaited<ReturnType<typeof makeHome>>;
let holder: Server | undefined;
let started: Supervisor | undefined;

beforeEach(async () => {
  home = await makeHome();
});

afterEach(async () => {
  holder?.close();
  holder = undefined;
  started?.kill("SIGTERM");
  await started?.exited;
  expect(await processesWith(home.folder)).toEqual([]);
  await home.remove();
});

/** In a mount namespace of its own, so that only this start sees what `script` does to the machine. */
const inNamespace = (script: string): string[] => [
  "unshare",
  "--mount",
  "sh",
  "-ec",
  `${script}; exec "$0" "$@"`,
];

async function refused(
  env: NodeJS.ProcessEnv,
  wrap: readonly string[] = [],
): Promise<{ code: number | NodeJS.Signals; output: string }> {
  started = startSupervisor("start", { ...home.env, ...env }, wrap);
  const code = await started.exited;
  return { code, output: started.output() };
}

const CONFIG = 78;
const HAS_RUSTC = existsSync("/usr/bin/rustc");
const HIDE_JAVA = 'for d in /usr/lib/jvm /opt; do [ -d "$d" ] && mount -t tmpfs none "$d"; done';

/** Knows its version and its place, and nothing else. */
async function brokenRust(): Promise<void> {
  const rustc = `#!/bin/sh
case "$1" in
  --version) echo "rustc 0.0.0 (broken)" ;;
  --print) echo ${home.folder}/sysroot ;;
  *) echo "internal compiler error" >&2; exit 1 ;;
esac
`;
  for (const folder of [".cargo/bin", "sysroot/bin"]) {
    await mkdir(join(home.folder, folder), { recursive: true });
    await writeFile(join(home.folder, folder, "rustc"), rustc, { mode: 0o755 });
  }
}

/** One pool of these languages, and a home folder in which the broken Rust is found. */
async function pool(languages: readonly string[]): Promise<NodeJS.ProcessEnv> {
  const config = join(home.folder, "mixed.json");
  await writeFile(config, JSON.stringify({ pools: [{ name: "mixed", languages, slots: 1 }] }));
  return { DOCKET_CONFIG: config, HOME: home.folder, JAVA_HOME: home.folder };
}

describe("npm start refuses", () => {
  test("a port that is taken", async () => {
    const taken = createServer();
    holder = taken;
    const port = await new Promise<number>((resolve) => {
      taken.listen(0, "127.0.0.1", () => {
        const address = taken.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const { code, output } = await refused({ DOCKET_PORT: String(port) });
    expect(code).toBe(CONFIG);
    expect(output).toContain(`Port ${port} on 127.0.0.1 is taken`);
    expect(output).toContain("DOCKET_PORT=");
  });

  test("to run without root", async () => {
    const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const { code, output } = await refused({}, nobody);
    expect(code).toBe(CONFIG);
    expect(output).toMatch(/must be started as root/);
  });

  test("a machine without cgroups", async () => {
    const { code, output } = await refused({}, inNamespace("mount -t tmpfs none /sys/fs/cgroup"));
    expect(code).toBe(CONFIG);
    expect(output).toMatch(/No usable cgroups.*--privileged/s);
  });

  test("cgroups that it may not change", async () => {
    const readOnly =
      "for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,bind,ro $d 2>/dev/null || :; done";
    const { code, output } = await refused({}, inNamespace(readOnly));
    expect(code).toBe(CONFIG);
    expect(output).toMatch(/Not allowed to make cgroups.*EROFS/s);
  });

  test("a MongoDB that does not answer", async () => {
    const url = "mongodb://user:geheim@127.0.0.1:9/?serverSelectionTimeoutMS=500";
    const { code, output } = await refused({ MONGODB_URL: url });
    expect(code).toBe(CONFIG);
    expect(output).toMatch(/MongoDB cannot be used.*MONGODB_URL/s);
    expect(output).not.toContain("geheim");
  });

  test("a NATS that does not answer", async () => {
    const { code, output } = await refused({ NATS_URL: "nats://127.0.0.1:9" });
    expect(code).toBe(CONFIG);
    expect(output).toMatch(/NATS at NATS_URL=nats:\/\/127\.0\.0\.1:9 cannot be used/);
  });

  test("a data folder that its own users cannot reach", async () => {
    const closed = join(home.folder, "closed");
    await mkdir(closed);
    await chmod(closed, 0o700);
    const { code, output } = await refused({ DOCKET_DATA: join(closed, "data") });
    expect(code).toBe(CONFIG);
    expect(output).toContain(`chmod o+x ${closed}`);
  });

  test("settings and a pool configuration with mistakes, all of them at once", async () => {
    const settings = await refused({ DOCKET_PORT: "99999", DOCKET_GRACE_MS: "soon" });
    expect(settings.code).toBe(CONFIG);
    expect(settings.output).toMatch(/DOCKET_PORT.*DOCKET_GRACE_MS/s);
    const config = join(home.folder, "wrong.json");
    await writeFile(config, JSON.stringify({ pools: [{ name: "p", languages: ["cobol"], slots: 0 }] }));
    const pools = await refused({ DOCKET_CONFIG: config });
    expect(pools.code).toBe(CONFIG);
    expect(pools.output).toMatch(/pools\.0\.languages\.0.*pools\.0\.slots/s);
  });

  // Debian's own rustc would be found first.
  test.skipIf(HAS_RUSTC)(
    "pools of which no language works: one that is there and broken, one that is not there",
    async () => {
      await brokenRust();
      const { code, output } = await refused(await pool(["rust", "java"]), inNamespace(HIDE_JAVA));
      expect(code).toBe(CONFIG);
      expect(output).toMatch(/rust on mixed-1-\S+: .*self-test does not compile.*internal compiler error/);
      expect(output).toMatch(/^ {2}java: .*apt-get install/m);
      expect(output).toContain("docket.config.json");
    },
    120_000,
  );
});

describe("npm start warns", () => {
  test.skipIf(HAS_RUSTC)(
    "of a toolchain that is there and does not work, and offers the others",
    async () => {
      await brokenRust();
      started = startSupervisor("start", { ...home.env, ...(await pool(["rust", "python"])) });
      const stack = await started.up();
      expect(started.output()).toMatch(
        /Warning: .*does not work.*\n {2}rust on mixed-1-\S+: .*does not compile/,
      );
      expect(started.output()).toContain("2 of 2 verdicts as expected");
      const client = createClient({ url: stack.url, token: stack.keys.participant });
      const { languages } = await client.request(LANGUAGES);
      await client.close();
      const rust = languages.find(({ language }) => language.id === "rust");
      expect(rust).toMatchObject({
        offered: false,
        reasons: [expect.stringContaining("internal compiler error") as string],
      });
      expect(languages.filter(({ offered }) => offered).map(({ language }) => language.id)).toEqual([
        "python",
      ]);
      started.kill("SIGTERM");
      expect(await started.exited).toBe(0);
    },
    180_000,
  );
});
