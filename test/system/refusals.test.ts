import { existsSync } from "node:fs";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
  test.skipIf(existsSync("/usr/bin/rustc"))(
    "a toolchain that is there and does not work",
    async () => {
      const config = join(home.folder, "rust.json");
      await writeFile(config, JSON.stringify({ pools: [{ name: "rust", languages: ["rust"], slots: 1 }] }));
      // Knows its version and its place, and nothing else.
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
      const { code, output } = await refused({ DOCKET_CONFIG: config, HOME: home.folder });
      expect(code).toBe(CONFIG);
      expect(output).toMatch(/rust on rust-1-\S+: .*self-test does not compile.*internal compiler error/);
      expect(output).toContain("docket.config.json");
    },
    60_000,
  );
});
