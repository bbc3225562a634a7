import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import type { LanguageDefinition } from "./language.ts";
import { mainFile, sourcesOf } from "./sources.ts";

const MEMORY_BASE_MIB = 160;

/** Perf data of several JVMs that are all pid 1 or 2 clash and warn on stdout; cgroups are not visible inside. */
const JVM = ["-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:-UseContainerSupport", "-Xshare:auto"] as const;

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
    ...JVM.map((flag) => `-J${flag}`),
    "-J-XX:TieredStopAtLevel=1",
    "-proc:none",
    "-encoding",
    "UTF-8",
    "-d",
    ".",
    ...sourcesOf(files, ["java"]),
  ],
  run: ({ toolchain, files, entryPoint, memoryMiB }) => [
    toolchain.programs["java"] ?? "java",
    ...JVM,
    // As much as the control group allows: so the group, and not an exception, ends a program that needs more.
    `-Xmx${memoryMiB + MEMORY_BASE_MIB}m`,
    "-Xss64m",
    "-cp",
    "/box",
    mainClass(files, entryPoint),
  ],
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: MEMORY_BASE_MIB,
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
