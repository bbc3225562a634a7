/** An exponent's letter may stand without digits: glibc reads 1e as 1. */
const DECIMAL = /^([+-]?(?:\d+\.?\d*|\.\d+))(e[+-]?\d*)?$/i;
const HEXADECIMAL = /^([+-]?)0x(?:([0-9a-f]+)\.?([0-9a-f]*)|\.([0-9a-f]+))(?:p([+-]?\d*))?$/i;

/**
 * The finite number that a whole token is, as glibc's scanf("%lf") reads it, on which the format's own validator
 * stands: decimal or hexadecimal, any sign. Undefined for anything else; infinities and NaN are words, not numbers, in
 * the problem package format.
 */
export function readNumber(token: Buffer): number | undefined {
  const text = token.toString("latin1");
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) {
    const exponent = decimal[2] ?? "";
    const value = Number((decimal[1] ?? "") + (/\d/.test(exponent) ? exponent : ""));
    return Number.isFinite(value) ? value : undefined;
  }
  const hex = HEXADECIMAL.exec(text);
  if (hex === null) return undefined;
  const [, sign, whole = "", tail = "", fraction = tail, exponent = ""] = hex;
  let mantissa = 0;
  for (const digit of whole + fraction) mantissa = mantissa * 16 + Number.parseInt(digit, 16);
  const shift = (Number.parseInt(exponent, 10) || 0) - 4 * fraction.length;
  // Two steps, so that neither 2 to a large shift alone overflows nor a long mantissa does.
  const value = mantissa * 2 ** Math.trunc(shift / 2) * 2 ** (shift - Math.trunc(shift / 2));
  if (!Number.isFinite(value)) return undefined;
  return sign === "-" ? -value : value;
}
