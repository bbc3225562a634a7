/** The files with one of these endings; all files when none has. */
export function sourcesOf(files: readonly string[], endings: readonly string[]): readonly string[] {
  const found = files.filter((file) => endings.some((ending) => file.endsWith(`.${ending}`)));
  return found.length > 0 ? found : files;
}

/**
 * The file a program starts with: the entry point if it names one, else the first of `names`, else the first source.
 * `files` must not be empty.
 */
export function mainFile(
  files: readonly string[],
  entryPoint: string | undefined,
  names: readonly string[],
): string {
  if (entryPoint !== undefined && files.includes(entryPoint)) return entryPoint;
  const known = names.find((name) => files.includes(name));
  const first = files[0];
  if (first === undefined) throw new RangeError("a program has at least one file");
  return known ?? first;
}

/** One word of a POSIX shell command. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * A syntax check of each file by `command`. What it says is shown only when it refuses: many of these programs also
 * speak when all is well.
 */
export const checkEach = (command: string, files: readonly string[]): readonly [string, string, string] => [
  "/bin/sh",
  "-c",
  `for f in ${files.map(quoted).join(" ")}; do ${command} "$f" >/tmp/said 2>&1 || { cat /tmp/said >&2; exit 1; }; done`,
];
