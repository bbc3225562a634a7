/** The beginning of bytes of any origin as one line of text: fit for a log, a header, a terminal. */
export function printable(bytes: Uint8Array, characters: number): string {
  const text = new TextDecoder().decode(bytes.subarray(0, characters * 4));
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Co}\p{Cs}\u2028\u2029]/gu, "·");
  return line.length > characters ? `${line.slice(0, characters - 1)}…` : line;
}
