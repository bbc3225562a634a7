import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The files of `folder` that `main.js` imports, it last, as one script. One script can be compiled once and its code
 * kept for every isolate to come; modules cannot, and would cost each test 1 ms instead of 0.4. The files share one
 * scope: a name defined twice does not compile. Throws for an import or export of another form than theirs.
 */
export function worldScript(folder: string): string {
  const done = new Set<string>();
  const parts: string[] = [];
  const add = (file: string): void => {
    if (done.has(file)) return;
    done.add(file);
    const text = readFileSync(join(folder, file), "utf8");
    const body = text
      .replaceAll(/^import \{\s*\w+(?:,\s*\w+)*,?\s*\} from "\.\/(\w+\.js)";$/gm, (_, imported: string) => {
        add(imported);
        return "";
      })
      .replaceAll(/^export (?=(?:const|let|class) )/gm, "");
    const left = /^(?:import|export)\b.*/m.exec(body);
    if (left !== null) throw new SyntaxError(`${file}: cannot be made part of one script: ${left[0]}`);
    parts.push(body);
  };
  add("main.js");
  return `(() => {"use strict";\n${parts.join("\n")}})();`;
}
