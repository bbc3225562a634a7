const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([0-9a-f]*)\.?([0-9a-f]*)(?:p([+-]?\d+))?$/i;

/**
 * The finite number that a whole token is, as C's scanf("%lf") reads it: decimal or hexadecimal, any sign. Undefined
 * for anything else; infinities and NaN are words, not numbers, in the problem package format.
 */
export function readNumber(token: Buffer): number | undefined {
  const text = token.toString("latin1");
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const hex = HEXADECIMAL.exec(text);
  const digits = hex === null ? "" : (hex[2] ?? "") + (hex[3] ?? "");
  if (hex === null || digits === "") return undefined;
  let mantissa = 0;
  for (const digit of digits) mantissa = mantissa * 16 + Number.parseInt(digit, 16);
  const value = mantissa * 2 ** (Number(hex[4] ?? "0") - 4 * (hex[3] ?? "").length);
  if (!Number.isFinite(value)) return undefined;
  return hex[1] === "-" ? -value : value;
}
