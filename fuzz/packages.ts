import { crc32, gzipSync } from "node:zlib";
import type { Chance } from "./chance.ts";
import { packageRequest } from "./http.ts";
import { junkString } from "./junk.ts";
import { mutateBytes, mutateText } from "./mutate.ts";
import type { Input, World } from "./world.ts";

const FILES: Readonly<Record<string, string>> = {
  "problem.yaml":
    "problem_format_version: 2025-09\nname: Fuzz\ntype: pass-fail\nuuid: 5b0d2a8e-4a3c-4f0e-9d5e-0c6a4f1d7aff\nlimits:\n  time_limit: 1\n  memory: 64\nvalidator_flags: case_sensitive\n",
  "data/test_group.yaml": "output_validator_args: [case_sensitive]\n",
  "statement/problem.en.md": "# Fuzz\nSay it again.\n",
  "output_validator/validate.py": "import sys\nsys.exit(42)\n",
  "submissions/accepted/echo.py": "print(input())\n",
  "data/sample/1.in": "a\n",
  "data/sample/1.ans": "a\n",
  "data/secret/1.in": "b\n",
  "data/secret/1.ans": "b\n",
};

type Files = readonly (readonly [name: string, content: Buffer])[];

function tar(files: Files, chance: Chance): Buffer {
  const blocks = files.flatMap(([name, content]) => {
    const header = Buffer.alloc(512);
    header.write(name.slice(0, 100), 0);
    header.write("0000644\0", 100);
    header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
    header.write("        ", 148);
    header.write(chance.yes(0.95) ? "0" : chance.pick(["1", "2", "5", "x", "g", "L", "K", "S", "3"]), 156);
    header.write("ustar\u000000", 257);
    if (chance.yes(0.05)) header[chance.int(500)] = chance.int(256);
    const sum = header.reduce((total, byte, at) => total + (at >= 148 && at < 156 ? 32 : byte), 0);
    header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
  });
  const whole = Buffer.concat([...blocks, Buffer.alloc(1024)]);
  return gzipSync(chance.yes(0.2) ? mutateBytes(chance, whole) : whole);
}

/** Files stored as they are, so that wounds of the archive reach its directory. */
function zip(files: Files): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of files) {
    const named = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt16LE(0x0800, 2);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(content.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(named.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE((0o100644 << 16) >>> 0, 6);
    tail.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from("PK\u0003\u0004"), common, named, content]);
    directory.push(Buffer.concat([Buffer.from("PK\u0001\u0002"), Buffer.from([20, 3]), common, tail, named]));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...parts, central, Buffer.from("PK\u0005\u0006"), end]);
}

const YAML = [
  "*a",
  "&a [*a, *a]",
  "!!js/function x",
  "!!binary AAAA",
  "? [a]: b",
  "<<: {a: 1}",
  "- - - -",
  "'",
  "|",
  "\t",
  "---\n---\n",
  "1e999",
  "0x7f",
  ".nan",
] as const;

/** A package whose files, names, YAML or archive are wounded; imported by the jury. */
export function packageInput(chance: Chance, world: World): Input {
  const files = Object.entries(FILES).flatMap(([path, text]): [string, Buffer][] => {
    if (chance.yes(0.04)) return [];
    const yaml = path.endsWith(".yaml");
    let content = text;
    if (chance.yes(yaml ? 0.4 : 0.04)) content = mutateText(chance, content);
    if (yaml && chance.yes(0.2)) content += `${chance.pick(["limits", "name", "x"])}: ${chance.pick(YAML)}\n`;
    const name = chance.yes(0.03) ? junkString(chance).slice(0, 80) : path;
    return [[`fuzz/${name}`, Buffer.from(content)]];
  });
  const zipped = chance.yes(0.5);
  let archive = zipped ? zip(files) : tar(files, chance);
  if (chance.yes(0.4)) archive = mutateBytes(chance, archive);
  const name = chance.yes(0.95) ? `fuzz.${zipped ? "zip" : "tar.gz"}` : junkString(chance).slice(0, 200);
  return packageRequest(
    world,
    { archive, name, multipart: chance.yes(0.3) },
    files.map(([path, content]) => `${path}\n${content.toString("utf8")}`).join("\n"),
  );
}
