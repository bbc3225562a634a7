import type { LanguageId } from "../../../src/shared/language.ts";
import type { Verdict } from "../../../src/shared/verdict.ts";

type Programs = Readonly<Record<Verdict, string>>;

const TYPESCRIPT_IN = `import { readFileSync } from "fs";\nconst n: number = Number(readFileSync(0, "utf8"));\n`;
const CSHARP = (body: string): string =>
  `using System; using System.Collections.Generic; using System.Linq;\nclass P { static void Main() { ${body} } }`;
const PASCAL = (body: string, more = ""): string =>
  `program p;\nuses sysutils;\n${more}begin\n${body}\nend.\n`;

const PYTHON = {
  AC: `print(int(input()) + 1)`,
  WA: `print(int(input()))`,
  TLE: `while True: pass`,
  MLE: `a = []\nwhile True: a.append(bytearray(b"x" * (1 << 20)))`,
  OLE: `while True: print("too much of this")`,
  RTE: `raise RuntimeError("no")`,
  CE: `print(int(input() + 1`,
};

/** As PROGRAMS in programs.ts, which has the languages that came first. */
export const MORE_PROGRAMS = {
  pypy: PYTHON,
  "python-gpu": PYTHON,
  kotlin: {
    AC: `fun main() { println(readLine()!!.trim().toLong() + 1) }`,
    WA: `fun main() { println(readLine()!!.trim().toLong()) }`,
    TLE: `@Volatile var n = 0\nfun main() { while (true) n++ }`,
    MLE: `fun main() { val all = ArrayList<ByteArray>(); while (true) all.add(ByteArray(1 shl 20) { 1 }) }`,
    OLE: `fun main() { val s = "too much of this".repeat(1000); while (true) println(s) }`,
    RTE: `fun main() { throw IllegalStateException("no") }`,
    CE: `fun main() { undeclared() }`,
  },
  csharp: {
    AC: CSHARP(`Console.WriteLine(long.Parse(Console.ReadLine()) + 1);`),
    WA: CSHARP(`Console.WriteLine(long.Parse(Console.ReadLine()));`),
    TLE: CSHARP(`uint n = 0; for (;;) n++;`),
    MLE: CSHARP(
      `var all = new List<byte[]>(); for (;;) all.Add(Enumerable.Repeat((byte)1, 1 << 20).ToArray());`,
    ),
    OLE: CSHARP(`for (;;) Console.WriteLine(new string('x', 10000));`),
    RTE: CSHARP(`throw new InvalidOperationException("no");`),
    CE: CSHARP(`Undeclared();`),
  },
  typescript: {
    AC: `${TYPESCRIPT_IN}console.log(n + 1);`,
    WA: `${TYPESCRIPT_IN}console.log(n);`,
    TLE: `for (;;);`,
    MLE: `const all: number[][] = []; for (;;) all.push(new Array(1 << 17).fill(all.length + 0.5));`,
    OLE: `for (;;) console.log("too much of this".repeat(1000));`,
    RTE: `throw new Error("no");`,
    CE: `const n: number = "undeclared"; console.log(n);`,
  },
  ruby: {
    AC: `puts gets.to_i + 1`,
    WA: `puts gets.to_i`,
    TLE: `n = 0\nloop { n += 1 }`,
    MLE: `a = []\nloop { a << "x" * (1 << 20) }`,
    OLE: `loop { puts "too much of this" * 1000 }`,
    RTE: `raise "no"`,
    CE: `puts (gets.to_i + `,
  },
  php: {
    AC: `<?php echo intval(fgets(STDIN)) + 1, "\\n";`,
    WA: `<?php echo intval(fgets(STDIN)), "\\n";`,
    TLE: `<?php $n = 0; while (true) $n++;`,
    MLE: `<?php $a = []; while (true) $a[] = str_repeat("x", 1 << 20);`,
    OLE: `<?php while (true) echo str_repeat("too much of this", 1000);`,
    RTE: `<?php throw new Exception("no");`,
    CE: `<?php echo 1 + ;`,
  },
  perl: {
    AC: `print <STDIN> + 1, "\\n";`,
    WA: `print <STDIN> + 0, "\\n";`,
    TLE: `my $n = 0; while (1) { $n++; }`,
    MLE: `my @a; while (1) { push @a, "x" x (1 << 20); }`,
    OLE: `while (1) { print "too much of this" x 1000; }`,
    RTE: `die "no";`,
    CE: `use strict; print $undeclared + 1;`,
  },
  lua: {
    AC: `print(io.read("n") + 1)`,
    WA: `print(io.read("n"))`,
    TLE: `while true do end`,
    MLE: `local a = {} while true do a[#a + 1] = string.rep("x", 1 << 20) .. #a end`,
    OLE: `while true do print(string.rep("too much of this", 1000)) end`,
    RTE: `error("no")`,
    CE: `print(1 + )`,
  },
  bash: {
    AC: `read -r n; echo $((n + 1))`,
    WA: `read -r n; echo "$n"`,
    TLE: `while :; do :; done`,
    MLE: `a=0123456789abcdef; while :; do a=$a$a; done`,
    OLE: `yes "too much of this"`,
    RTE: `exit 3`,
    CE: `if true; then echo 1`,
  },
  haskell: {
    AC: `main :: IO ()\nmain = readLn >>= \\n -> print (n + 1 :: Integer)`,
    WA: `main :: IO ()\nmain = readLn >>= \\n -> print (n :: Integer)`,
    TLE: `main :: IO ()\nmain = print (length (filter even [1 :: Integer ..]))`,
    MLE: `main :: IO ()\nmain = let xs = [1 :: Integer ..] in print (sum (takeWhile (> 0) xs)) >> print (length xs)`,
    OLE: `main :: IO ()\nmain = mapM_ putStrLn (repeat (replicate 10000 'x'))`,
    RTE: `main :: IO ()\nmain = error "no"`,
    CE: `main :: IO ()\nmain = undeclared 1`,
  },
  ocaml: {
    AC: `let () = print_int (read_int () + 1)`,
    WA: `let () = print_int (read_int ())`,
    TLE: `let () = while true do ignore (Sys.opaque_identity 1) done`,
    MLE: `let () = let a = ref [] in while true do a := Bytes.make (1 lsl 20) 'x' :: !a done`,
    OLE: `let () = while true do print_endline (String.make 10000 'x') done`,
    RTE: `let () = failwith "no"`,
    CE: `let () = undeclared 1`,
  },
  pascal: {
    AC: PASCAL(`readln(n); writeln(n + 1);`, `var n: int64;\n`),
    WA: PASCAL(`readln(n); writeln(n);`, `var n: int64;\n`),
    TLE: PASCAL(`n := 0; while true do n := n + 1;`, `var n: qword;\n`),
    MLE: PASCAL(`while true do begin getmem(m, 1048576); fillchar(m^, 1048576, 1) end;`, `var m: pointer;\n`),
    OLE: PASCAL(`while true do writeln(stringofchar('x', 200));`),
    RTE: PASCAL(`raise exception.create('no');`).replace("program", "{$mode objfpc}\nprogram"),
    CE: PASCAL(`undeclared(1);`),
  },
} as const satisfies Partial<Record<LanguageId, Programs>>;
