import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { Sha256 } from "../../shared/ids.ts";
import { type Constants, readConstants, replaceConstants } from "../../shared/constants.ts";
import type { Findings } from "./finding.ts";
import type { PackageTree } from "./tree.ts";
import type { UnpackedFile } from "./unpack.ts";
import type { YamlMap } from "./yamlmap.ts";

export function constantsOf(yaml: YamlMap, findings: Findings): Constants {
  const map = yaml.map("constants");
  const value = yaml.value("constants");
  const expected = "names of letters, digits and _ to numbers or strings";
  if (value !== undefined && map === undefined) {
    findings.error(yaml.file, "constants is not a mapping", { line: yaml.lineOf("constants"), expected });
  }
  return readConstants(value, (name) =>
    findings.error(yaml.file, `the constant ${JSON.stringify(name)} is none`, {
      line: map?.lineOf(name) ?? yaml.lineOf("constants"),
      expected,
    }),
  );
}

/** Where the format replaces constants, as far as judging reads it. */
const REPLACED = /^(output_validators?|include)\/|(^|\/)test_group\.yaml$/;
const LARGEST = 16 * 1024 * 1024;

async function replaced(file: UnpackedFile, constants: Constants): Promise<UnpackedFile> {
  if (file.sizeBytes > LARGEST) return file;
  const bytes = await readFile(file.disk);
  const text = bytes.toString("latin1");
  if (!text.includes("{{")) return file;
  // Byte for byte, so that what is no text stays as it is; values are written in UTF-8.
  const utf8 = new Map([...constants].map(([name, value]) => [name, Buffer.from(value).toString("latin1")]));
  const changed = Buffer.from(replaceConstants(text, utf8), "latin1");
  const disk = `${file.disk}.replaced`;
  await writeFile(disk, changed);
  const sha256 = Sha256.parse(createHash("sha256").update(changed).digest("hex"));
  return { ...file, disk, sha256, sizeBytes: changed.length };
}

/** The package with its constants put in, in files beside the unpacked ones. */
export async function withConstants(tree: PackageTree, constants: Constants): Promise<PackageTree> {
  if (constants.size === 0) return tree;
  const files = new Map(tree.files);
  for (const [path, file] of tree.files) {
    if (REPLACED.test(path)) files.set(path, await replaced(file, constants));
  }
  return { ...tree, files };
}
