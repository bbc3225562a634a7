import type { LanguageId } from "../../../src/shared/language.ts";
import type { Verdict } from "../../../src/shared/verdict.ts";
import { MORE_PROGRAMS } from "./moreprograms.ts";

const CPP = {
  AC: `#include <iostream>
int main() { long n; std::cin >> n; std::cout << n + 1 << std::endl; }`,
  WA: `#include <iostream>
int main() { long n; std::cin >> n; std::cout << n << std::endl; }`,
  TLE: `int main() { volatile unsigned n = 0; for (;;) n = n + 1; }`,
  MLE: `#include <cstring>
int main() { for (;;) std::memset(new char[1 << 20], 1, 1 << 20); }`,
  OLE: `#include <iostream>
int main() { for (;;) std::cout << "too much of this\\n"; }`,
  RTE: `#include <stdexcept>
int main() { throw std::runtime_error("no"); }`,
  CE: `int main() { return undeclared; }`,
};

/** Reads a number n and prints n + 1, or fails in the way of the verdict. One small program for each. */
export const PROGRAMS: Readonly<Record<Exclude<LanguageId, "text">, Readonly<Record<Verdict, string>>>> = {
  c: {
    AC: `#include <stdio.h>
int main(void) { long n; if (scanf("%ld", &n) != 1) return 1; printf("%ld\\n", n + 1); return 0; }`,
    WA: `#include <stdio.h>
int main(void) { long n; if (scanf("%ld", &n) != 1) return 1; printf("%ld\\n", n); return 0; }`,
    TLE: `int main(void) { volatile unsigned n = 0; for (;;) n++; }`,
    MLE: `#include <stdlib.h>
#include <string.h>
int main(void) { for (;;) { char *p = malloc(1 << 20); if (p) memset(p, 1, 1 << 20); } }`,
    OLE: `#include <stdio.h>
int main(void) { for (;;) puts("too much of this"); }`,
    RTE: `int main(void) { volatile int *p = 0; return *p; }`,
    CE: `int main(void) { return undeclared; }`,
  },
  cpp: CPP,
  // Each with something of its own standard.
  cpp17: { ...CPP, AC: CPP.AC.replace("std::cout", "auto [m, k] = std::pair{n, 1L}; n = m; std::cout") },
  cpp23: {
    ...CPP,
    AC: `#include <utility>\nenum E : long { one = 1 };\n${CPP.AC.replace("+ 1", "+ std::to_underlying(one)")}`,
  },
  python: {
    AC: `print(int(input()) + 1)`,
    WA: `print(int(input()))`,
    TLE: `while True: pass`,
    MLE: `a = []\nwhile True: a.append(bytearray(1 << 20))`,
    OLE: `while True: print("too much of this")`,
    RTE: `raise RuntimeError("no")`,
    CE: `print(int(input() + 1`,
  },
  java: {
    AC: `import java.util.Scanner;
public class Main { public static void main(String[] a) { System.out.println(new Scanner(System.in).nextLong() + 1); } }`,
    WA: `import java.util.Scanner;
public class Main { public static void main(String[] a) { System.out.println(new Scanner(System.in).nextLong()); } }`,
    TLE: `public class Main { static volatile int n; public static void main(String[] a) { for (;;) n++; } }`,
    MLE: `import java.nio.ByteBuffer; import java.util.*;
public class Main { public static void main(String[] a) { List<byte[]> l = new ArrayList<>(); for (;;) { byte[] b = new byte[1 << 20]; Arrays.fill(b, (byte) 1); l.add(b); } } }`,
    OLE: `public class Main { public static void main(String[] a) { for (;;) System.out.println("too much of this".repeat(1000)); } }`,
    RTE: `public class Main { public static void main(String[] a) { throw new RuntimeException("no"); } }`,
    CE: `public class Main { public static void main(String[] a) { return undeclared; } }`,
  },
  go: {
    AC: `package main
import "fmt"
func main() { var n int; fmt.Scan(&n); fmt.Println(n + 1) }`,
    WA: `package main
import "fmt"
func main() { var n int; fmt.Scan(&n); fmt.Println(n) }`,
    TLE: `package main
func main() { n := 0; for { n++ } }`,
    MLE: `package main
var all [][]byte
func main() { for { b := make([]byte, 1<<20); for i := range b { b[i] = 1 }; all = append(all, b) } }`,
    OLE: `package main
import "fmt"
import "strings"
func main() { for { if _, err := fmt.Println(strings.Repeat("too much of this", 1000)); err != nil { panic(err) } } }`,
    RTE: `package main
func main() { panic("no") }`,
    CE: `package main
func main() { return undeclared }`,
  },
  rust: {
    AC: `use std::io;
fn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap(); println!("{}", s.trim().parse::<i64>().unwrap() + 1); }`,
    WA: `use std::io;
fn main() { let mut s = String::new(); io::stdin().read_line(&mut s).unwrap(); println!("{}", s.trim()); }`,
    TLE: `use std::hint::black_box;
fn main() { let mut n = 0u32; loop { n = black_box(n.wrapping_add(1)); } }`,
    MLE: `fn main() { let mut all = Vec::new(); loop { all.push(vec![1u8; 1 << 20]); } }`,
    OLE: `fn main() { loop { println!("{}", "too much of this".repeat(1000)); } }`,
    RTE: `fn main() { panic!("no"); }`,
    CE: `fn main() { undeclared(); }`,
  },
  javascript: {
    AC: `const n = Number(require("fs").readFileSync(0, "utf8")); console.log(n + 1);`,
    WA: `const n = Number(require("fs").readFileSync(0, "utf8")); console.log(n);`,
    TLE: `for (;;);`,
    MLE: `const all = []; for (;;) all.push(new Array(1 << 17).fill(all.length + 0.5));`,
    OLE: `for (;;) console.log("too much of this".repeat(1000));`,
    RTE: `throw new Error("no");`,
    CE: `console.log(1 + ;`,
  },
  ...MORE_PROGRAMS,
};
