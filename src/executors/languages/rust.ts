import { join } from "node:path";
import { askTool, BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile } from "./sources.ts";

const INSIDE = "/opt/rust";

export const rust: LanguageDefinition = {
  id: "rust",
  packages: ["rustc", "gcc"],
  async find({ path, home }) {
    const shim = await findProgram(["rustc"], {
      path,
      folders: home === undefined ? [] : [join(home, ".cargo/bin")],
    });
    const gcc = await findProgram(["gcc"], { path });
    if (shim === undefined || gcc === undefined) return undefined;
    // rustup's rustc is a shim that looks for the real one in a home folder; its real place is the sysroot.
    const named = shim.endsWith("/rustup") ? join(home ?? "", ".cargo/bin/rustc") : shim;
    const env: Record<string, string> = home === undefined ? {} : { HOME: home };
    const sysroot = await askTool(named, ["--print", "sysroot"], env);
    if (sysroot === undefined) return undefined;
    const version = await versionLine(join(sysroot, "bin/rustc"), ["--version"]);
    if (version === undefined) return undefined;
    const inUsr = sysroot === "/usr" || sysroot.startsWith("/usr/");
    return {
      version,
      programs: { rustc: join(inUsr ? sysroot : INSIDE, "bin/rustc"), gcc },
      mounts: inUsr ? [] : [{ host: sysroot, inside: INSIDE }],
      env: BASE_ENV,
    };
  },
  compile: ({ toolchain, files, entryPoint }) => [
    toolchain.programs["rustc"] ?? "rustc",
    "-O",
    "--edition",
    "2021",
    "-C",
    `linker=${toolchain.programs["gcc"] ?? "gcc"}`,
    "-o",
    "program",
    mainFile(files, entryPoint, ["main.rs"]),
  ],
  run: () => ["/box/program"],
  engine: "native",
  timeFactor: 1,
  memoryBaseMiB: 0,
  processes: 32,
  selfTest: `use std::io::*;
fn main() { let mut s = String::new(); stdin().read_line(&mut s).unwrap(); let n: i64 = s.trim().parse().unwrap(); println!("{}", n + 1); }
`,
};
