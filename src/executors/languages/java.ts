import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { BASE_ENV, findProgram, versionLine } from "./findprogram.ts";
import { type LanguageDefinition, type Prepared, preparedInside } from "./language.ts";
import { mainFile, quoted, sourcesOf } from "./sources.ts";

export const JVM_MEMORY_BASE_MIB = 160;

/** Perf data of several JVMs that are all pid 1 or 2 clash and warn on stdout; cgroups are not visible inside. */
const JVM: readonly string[] = [
  // Its own warnings would go to standard output.
  "-Xlog:disable",

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

/**
 * A JVM that takes its classes from an archive, where that is there already: half of what a compiler's start costs is
 * loading and checking its own classes.
 */
export const jvmWithArchive = (
  runtime: string,
  archive: string,
  args: readonly string[],
): readonly [string, ...string[]] => [
  "/bin/sh",
  "-c",
  `[ -e ${archive} ] && set -- -XX:SharedArchiveFile=${archive} "$@"; exec ${runtime} "$@"`,
  "java",
  ...args,
];

const ARCHIVE = "javac.jsa";
const JAVAC = ["-m", "jdk.compiler/com.sun.tools.javac.Main", "-proc:none", "-encoding", "UTF-8", "-d", "."];

/** What javac loads for a program of the usual kind; the archive holds these classes as they are after loading. */
function compilerArchive(runtime: string, stamp: readonly unknown[]): Prepared {
  const command = [runtime, ...JVM_OF_COMPILER, `-XX:ArchiveClassesAtExit=${ARCHIVE}`, ...JAVAC, "Main.java"];
  return {
    name: "java",
    script: command.map(quoted).join(" "),
    files: { "Main.java": SAMPLE },
    keep: [ARCHIVE],
    stamp,
  };
}

export const java: LanguageDefinition = {
  id: "java",
  packages: ["default-jdk-headless"],
  async find({ path }) {
    const javac = await findProgram(["javac"], { path });
    if (javac === undefined || !javac.startsWith("/usr/")) return undefined;
    const runtime = join(dirname(javac), "java");
    // Before Java 9 there were no modules, and none of the options below.
    const modules = join(dirname(javac), "../lib/modules");
    const version =
      existsSync(runtime) && existsSync(modules) ? await versionLine(runtime, ["-version"]) : undefined;
    if (version === undefined) return undefined;
    const { size, mtimeMs } = await stat(modules);
    const prepared = [compilerArchive(runtime, [version, size, mtimeMs])];
    return { version, programs: { java: runtime }, mounts: [], env: BASE_ENV, prepared };
  },
  compile: ({ toolchain, files }) =>
    jvmWithArchive(toolchain.programs["java"] ?? "java", `${preparedInside("java")}/${ARCHIVE}`, [
      ...JVM_OF_COMPILER,
      ...JAVAC,
      ...sourcesOf(files, ["java"]),
    ]),
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

const SAMPLE = `import java.io.*;
import java.math.BigInteger;
import java.util.*;
import java.util.function.*;
import java.util.stream.*;

public class Main {
  record Pair(int a, long b) {}
  interface Shape { double area(); }
  enum Colour { RED, GREEN }
  static <T extends Comparable<T>> T largest(List<T> all) { return Collections.max(all); }
  public static void main(String[] args) throws IOException {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
    Scanner scanner = new Scanner("3 4");
    StringTokenizer words = new StringTokenizer(String.valueOf(in.readLine()));
    Map<String, List<Integer>> map = new TreeMap<>();
    int[][] grid = new int[3][4];
    for (int i = 0; i < grid.length; i++) for (int x : grid[i]) grid[i][0] += x + scanner.nextInt(10);
    Deque<Pair> queue = new ArrayDeque<>(List.of(new Pair(1, 2L)));
    while (!queue.isEmpty()) {
      Pair pair = queue.poll();
      map.computeIfAbsent("k" + pair.a(), k -> new ArrayList<>()).add((int) pair.b());
    }
    Shape shape = () -> Math.sqrt(2);
    switch (Colour.RED) { case RED: break; default: throw new IllegalStateException(words.toString()); }
    String text = IntStream.range(0, 5).mapToObj(Integer::toString).collect(Collectors.joining(","));
    PriorityQueue<long[]> heap = new PriorityQueue<>((p, q) -> Long.compare(p[0], q[0]));
    StringBuilder out = new StringBuilder(text).append(heap.size()).append(BigInteger.TEN.pow(3));
    try { System.out.printf("%s %.2f%n", out, shape.area()); } finally { System.out.println(largest(List.of(1, 2))); }
  }
}
`;
