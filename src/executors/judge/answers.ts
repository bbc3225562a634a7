import type { ManifestTest, SourceFile } from "../../shared/judging.ts";

const ENDING = /\.(out|ans|txt)$/;

/**
 * The file of a submission that answers a test: named as the test, with or without the folders before it (with "_" for
 * "/"), and with the ending .out, .ans, .txt or none. A problem of one test takes any single file.
 */
export function answerTo(
  test: Pick<ManifestTest, "name">,
  files: readonly SourceFile[],
  testCount: number,
): SourceFile | undefined {
  if (testCount === 1 && files.length === 1) return files[0];
  const parts = test.name.split("/");
  // The longest name first: two groups may have tests of the same name.
  for (let from = 0; from < parts.length; from++) {
    const name = parts.slice(from).join("_");
    const found = files.find((file) => file.name.replace(ENDING, "") === name);
    if (found !== undefined) return found;
  }
  return undefined;
}
