import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { findProgram, versionLine } from "./findprogram.ts";
import { java, JVM_MEMORY_BASE_MIB, JVM_OF_COMPILER, jvmOfProgram } from "./java.ts";
import type { LanguageDefinition } from "./language.ts";
import { sourcesOf } from "./sources.ts";

const INSIDE = "/opt/kotlin";
/** Of the compiler's own folder `lib`; some are only there in some versions. */
const COMPILER_JARS = ["compiler", "stdlib", "reflect", "script-runtime"].map((name) => `kotlin-${name}.jar`);
const MORE_JARS = ["trove4j.jar", "annotations-13.0.jar", "kotlinx-coroutines-core-jvm.jar"];
const COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler";
const JAR = "program.jar";

export const kotlin: LanguageDefinition = {
  id: "kotlin",
  packages: ["kotlin", "default-jdk-headless"],
  async find(places) {
    const jvm = await java.find(places);
    const folders = ["/opt/kotlinc/bin", "/usr/local/kotlinc/bin"];
    const kotlinc = await findProgram(["kotlinc"], { path: places.path, folders });
    if (jvm === undefined || kotlinc === undefined) return undefined;
    const home = dirname(dirname(kotlinc));
    const lib = join(home, "lib");
    const jars = [...COMPILER_JARS, ...MORE_JARS].filter((jar) => existsSync(join(lib, jar)));
    if (!jars.includes("kotlin-compiler.jar") || !jars.includes("kotlin-stdlib.jar")) return undefined;
    const { java: runtime = "java" } = jvm.programs;
    const classPath = (folder: string): string => jars.map((jar) => join(folder, "lib", jar)).join(":");
    const said = await versionLine(runtime, [
      ...JVM_OF_COMPILER,
      "-cp",
      classPath(home),
      COMPILER,
      "-version",
    ]);
    if (said === undefined) return undefined;
    const inUsr = home.startsWith("/usr/");
    const inside = inUsr ? home : INSIDE;
    return {
      version: said.replace(/^info: /, ""),
      programs: {
        java: runtime,
        kotlinHome: inside,
        kotlinJars: classPath(inside),
        kotlinStdlib: join(inside, "lib/kotlin-stdlib.jar"),
      },
      mounts: [...jvm.mounts, ...(inUsr ? [] : [{ host: home, inside }])],
      env: jvm.env,
    };
  },
  compile: ({ toolchain: { programs }, files }) => [
    programs["java"] ?? "java",
    ...JVM_OF_COMPILER,
    "-cp",
    programs["kotlinJars"] ?? "",
    COMPILER,
    "-kotlin-home",
    programs["kotlinHome"] ?? "",
    "-no-reflect",
    "-d",
    // It then says itself which of the classes has the main function.
    JAR,
    ...sourcesOf(files, ["kt"]),
  ],
  run: ({ toolchain: { programs }, files, entryPoint, memoryMiB }) => {
    const stdlib = programs["kotlinStdlib"] ?? "";
    const named = entryPoint !== undefined && !files.includes(entryPoint);
    return [
      programs["java"] ?? "java",
      ...jvmOfProgram(memoryMiB),
      ...(named
        ? ["-cp", `/box/${JAR}:${stdlib}`, entryPoint]
        : [`-Xbootclasspath/a:${stdlib}`, "-jar", JAR]),
    ];
  },
  engine: "native",
  timeFactor: 2,
  memoryBaseMiB: JVM_MEMORY_BASE_MIB,
  processes: 64,
  selfTest: `fun main() {
    val n = readLine()!!.trim().toInt()
    println(listOf(n, 1).sum())
}
`,
};
