/** `constants` of problem.yaml: names and what `{{name}}` is replaced by. */
export type Constants = ReadonlyMap<string, string>;

const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const isScalar = (value: unknown): value is string | number =>
  typeof value === "string" || typeof value === "number";

/**
 * Reads the mapping. A constant is a number or a string, or (newer tools) a mapping with `value` and other ways of
 * writing it, which `{{name.key}}` gives. `wrong` is called with each name that is not one or has no such value.
 */
export function readConstants(value: unknown, wrong: (name: string) => void): Constants {
  const constants = new Map<string, string>();
  if (typeof value !== "object" || value === null) return constants;
  for (const [name, given] of Object.entries(value) as [string, unknown][]) {
    if (!NAME.test(name)) wrong(name);
    else if (isScalar(given)) constants.set(name, String(given));
    else if (typeof given === "object" && given !== null) {
      for (const [key, one] of Object.entries(given) as [string, unknown][]) {
        if (!isScalar(one)) wrong(`${name}.${key}`);
        else constants.set(key === "value" ? name : `${name}.${key}`, String(one));
      }
    } else wrong(name);
  }
  return constants;
}

/** Replaces `{{name}}` of the names there are; others are left as they stand. */
export const replaceConstants = (text: string, constants: Constants): string =>
  text.replaceAll(
    /\{\{([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)?)\}\}/g,
    (whole, name: string) => constants.get(name) ?? whole,
  );
