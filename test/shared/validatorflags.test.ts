import { expect, test } from "vitest";
import { parseValidatorFlags } from "../../src/shared/validatorflags.ts";

test("no flags: case and white space do not count, numbers are words", () => {
  expect(parseValidatorFlags([])).toEqual({
    ok: true,
    flags: {
      caseSensitive: false,
      spaceChangeSensitive: false,
      absoluteTolerance: undefined,
      relativeTolerance: undefined,
    },
  });
});

test("float_tolerance sets both, a later one replaces one of them", () => {
  expect(parseValidatorFlags(["float_tolerance", "1e-6", "float_absolute_tolerance", "0.5"])).toMatchObject({
    flags: { absoluteTolerance: 0.5, relativeTolerance: 1e-6 },
  });
});

test.each([
  [["case_insensitive"], 'unknown flag "case_insensitive"'],
  [["float_tolerance"], "float_tolerance needs a number"],
  [["float_tolerance", "case_sensitive"], "float_tolerance needs a number"],
  [["float_tolerance", "-1"], "float_tolerance needs a number"],
  [["float_relative_tolerance", "nan"], "float_relative_tolerance needs a number"],
  [["1e-6"], 'unknown flag "1e-6"'],
])("%j is refused", (args, message) => {
  const result = parseValidatorFlags(args);
  expect(result.ok ? "" : result.message).toContain(message);
});
