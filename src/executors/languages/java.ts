import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile, sourcesOf } from "./sources.ts";

export const JVM_MEMORY_BASE_MIB = 160;

/** Perf data of several JVMs that are all pid 1 or 2 clash and warn on stdout; cgroups are not visible inside. */
const JVM: readonly string[] = [
  "-XX:+UseSerialGC",
  "-XX:-UsePerfData",
  "-XX:-UseContainerSupport",
  "-Xshare:auto",
];

/** Options of a JVM that runs a compiler: it is gone before the better of the two compilers would pay. */
export const JVM_OF_COMPILER: readonly string[] = [...JVM, "-XX:TieredStopAtLevel=1"];

/** Options of a JVM that runs a program. */
export const jvmOfProgram = (memoryMiB: number): readonly string[] => [
  ...JVM,
  // As much as the control group allows: so the group, and not an exception, ends a program that needs more.
  `-Xmx${memoryMiB + JVM_MEMORY_BASE_MIB}m`,
  "-Xss64m",
];

export const java: LanguageDefinition = {
  id: "java",
  packages: ["default-jdk-headless"],
  async find({ path }) {
    const javac = await findProgram(["javac"], { path });
    if (javac === undefined || !javac.startsWith("/usr/")) return undefined;
    const runtime = join(dirname(javac), "java");
    const version = existsSync(runtime) ? await versionLine(runtime, ["-version"]) : undefined;
    if (version === undefined) return undefined;
    return { version, programs: { javac, java: runtime }, mounts: [], env: BASE_ENV };
  },
  compile: ({ toolchain, files }) => [
    toolchain.programs["javac"] ?? "javac",
    ...JVM_OF_COMPILER.map((flag) => `-J${flag}`),
    "-proc:none",
    "-encoding",
    "UTF-8",
    "-d",
    ".",
    ...sourcesOf(files, ["java"]),
  ],
  run: ({ toolchain, files, entryPoint, memoryMiB }) => [
    toolchain.programs["java"] ?? "java",
    ...jvmOfProgram(memoryMiB),
    "-cp",
    "/box",
    mainClass(files, entryPoint),
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: JVM_MEMORY_BASE_MIB,
  processes: 64,
  selfTest: `import java.util.*;
public class Main {
  public static void main(String[] args) {
    Scanner in = new Scanner(System.in);
    System.out.println(List.of(in.nextInt(), 1).stream().mapToInt(x -> x).sum());
  }
}
`,
};

/** The entry point may name a class outright; otherwise the class that the main file is named after. */
function mainClass(files: readonly string[], entryPoint: string | undefined): string {
  if (entryPoint !== undefined && !files.includes(entryPoint)) return entryPoint;
  const file = mainFile(sourcesOf(files, ["java"]), entryPoint, ["Main.java"]);
  return file.replace(/\.java$/, "").replaceAll("/", ".");
}
