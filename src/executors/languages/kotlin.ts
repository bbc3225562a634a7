import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { findProgram, versionLine } from "./findprogram.ts";
import { java, jvmWithArchive, JVM_MEMORY_BASE_MIB, JVM_OF_COMPILER, jvmOfProgram } from "./java.ts";
import { type LanguageDefinition, type Prepared, preparedInside } from "./language.ts";
import { quoted, sourcesOf } from "./sources.ts";

const INSIDE = "/opt/kotlin";
/** Of the compiler's own folder `lib`; some are only there in some versions. */
const COMPILER_JARS = ["compiler", "stdlib", "reflect", "script-runtime"].map((name) => `kotlin-${name}.jar`);
const MORE_JARS = ["trove4j.jar", "annotations-13.0.jar", "kotlinx-coroutines-core-jvm.jar"];
const COMPILER = "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler";
const JAR = "program.jar";

const SELF_TEST = `fun main() {
    val n = readLine()!!.trim().toInt()
    println(listOf(n, 1).sum())
}
`;
const SAMPLE = `import java.util.*
data class Pair2(val a: Int, val b: Long)
class Heap<T : Comparable<T>> { private val all = ArrayList<T>(); fun top(): T? = all.minBy { it } }
fun main(args: Array<String>) {
    val (n, m) = readLine()!!.split(" ").map { it.toInt() }
    val map = TreeMap<String, MutableList<Int>>()
    for (i in 0 until n step 2) map.getOrPut("k$i") { mutableListOf() }.add(when { i > m -> 1 else -> i })
    val text = map.entries.filter { (k, v) -> k.length > v.size }.joinToString(",") { it.key }
    val grid = Array(n) { IntArray(m) { it * 2 } }
    println(buildString { append(text); grid.forEach { append(it.sum()) } } + Pair2(n, 2L).copy(a = m))
}
`;
const ARCHIVE = "kotlinc.jsa";

const compilerArgs = (home: string, classPath: string): readonly string[] => [
  ...JVM_OF_COMPILER,
  "-cp",
  classPath,
  COMPILER,
  "-kotlin-home",
  home,
  "-no-reflect",
  // It then says itself which of the classes has the main function.
  "-d",
  JAR,
];

function compilerArchive(
  runtime: string,
  home: string,
  classPath: string,
  stamp: readonly unknown[],
): Prepared {
  const args = [`-XX:ArchiveClassesAtExit=${ARCHIVE}`, ...compilerArgs(home, classPath), "Main.kt"];
  return {
    name: "kotlin",
    script: [runtime, ...args].map(quoted).join(" "),
    files: { "Main.kt": SAMPLE },
    keep: [ARCHIVE],
    stamp,
  };
}

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
    const { size, mtimeMs } = await stat(join(lib, "kotlin-compiler.jar"));
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
      // The class path is part of the archive, and is the same inside and outside only below /usr.
      prepared: inUsr ? [compilerArchive(runtime, home, classPath(home), [said, size, mtimeMs])] : [],
    };
  },
  compile: ({ toolchain: { programs }, files }) =>
    jvmWithArchive(programs["java"] ?? "java", `${preparedInside("kotlin")}/${ARCHIVE}`, [
      ...compilerArgs(programs["kotlinHome"] ?? "", programs["kotlinJars"] ?? ""),
      ...sourcesOf(files, ["kt"]),
    ]),
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
  selfTest: SELF_TEST,
};
