import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";

/**
 * What the tests want from the distribution, by a program that it brings. Toolchains that every machine for developers
 * has (C, C++, Python, Java, Go, Rust) are not installed here: their tests say when they are missing.
 */
const WANTED: readonly { readonly package: string; readonly programs: readonly string[] }[] = [
  { package: "chromium", programs: ["chromium", "chromium-browser", "google-chrome"] },
  { package: "pypy3", programs: ["pypy3"] },
  { package: "ruby", programs: ["ruby"] },
  { package: "php-cli", programs: ["php"] },
  { package: "perl", programs: ["perl"] },
  { package: "lua5.4", programs: ["lua5.4"] },
  { package: "fp-compiler", programs: ["fpc"] },
];

const isThere = (program: string): boolean =>
  existsSync(`/usr/bin/${program}`) || existsSync(`/usr/local/bin/${program}`);

/** Installs what is missing, once for a machine; says plainly what could not be had. Only tests do this. */
export function ensureTestPackages(env: NodeJS.ProcessEnv): void {
  const browser = env["DOCKET_BROWSER"];
  const missing = WANTED.filter(
    (wanted) =>
      !wanted.programs.some(isThere) &&
      !(wanted.package === "chromium" && browser !== undefined && existsSync(browser)),
  ).map((wanted) => wanted.package);
  if (missing.length === 0) return;
  const command = `apt-get install ${missing.join(" ")}`;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
    process.stderr.write(`Some tests will be skipped or fail without these packages: ${command}\n`);
    return;
  }
  process.stderr.write(`Installing what tests need (${command}; about a minute) ...\n`);
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...missing],
  ]) {
    const done = spawnSync("apt-get", args, {
      env: { ...env, DEBIAN_FRONTEND: "noninteractive" },
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (done.status !== 0) {
      process.stderr.write(`apt-get ${args.join(" ")} failed: the tests that need it will say so.\n`);
      return;
    }
  }
}
