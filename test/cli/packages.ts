import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

/** Writes files below a folder, making folders as needed. */
export async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** A package whose one submission claims to be right and is not. */
export const brokenPromise = {
  "problem.yaml":
    "problem_format_version: 2025-09\nname: Broken Promise\nuuid: x\nlimits: {time_limit: 1.0, memory: 64}\n",
  "statement/problem.en.md": "Print 1.\n",
  "input_validators/v.py": "import sys\nsys.exit(42)\n",
  "data/secret/1.in": "",
  "data/secret/1.ans": "1\n",
  "submissions/accepted/one.py": "print(1)\n",
  "submissions/accepted/two.py": "print(2)\n",
  "submissions/accepted/old.py": "#!/usr/bin/env python2\nprint 1\n",
};
