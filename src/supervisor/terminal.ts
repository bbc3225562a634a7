/** Writes lines for a person: colours only where a terminal shows them, none with NO_COLOR. */
export interface Terminal {
  readonly line: (text?: string) => void;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
}

export function openTerminal(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): Terminal {
  const colours = stream.isTTY && (env["NO_COLOR"] ?? "") === "";
  const painted = (code: number) => (text: string) => (colours ? `\u001B[${code}m${text}\u001B[0m` : text);
  return {
    line: (text = "") => void stream.write(`${text}\n`),
    bold: painted(1),
    dim: painted(2),
    good: painted(32),
    bad: painted(31),
  };
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
