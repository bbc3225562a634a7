import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { getNamedType, isObjectType, isUnionType } from "graphql";
import { describe, expect, it } from "vitest";
import { schema } from "../../src/server/graphql/schema.ts";
import { ERRORS, FAULTS } from "../../src/shared/errors.ts";
import { FaultCode } from "../../src/shared/protocol.ts";

const codes = Object.entries(ERRORS);
const unions = Object.values(schema.getTypeMap()).filter(isUnionType);

describe("the list of errors", () => {
  it("has a type, a status and words of its own for each code", () => {
    expect(new Set(codes.map(([, { type }]) => type)).size).toBe(codes.length);
    for (const [code, { doc, httpStatus, ...more }] of codes) {
      expect(doc.length, code).toBeGreaterThan(20);
      expect([425, 429, 503].includes(httpStatus), code).toBe("retryable" in more);
    }
  });

  it("has every fault", () => {
    expect(Object.keys(FAULTS).toSorted()).toEqual([...FaultCode.options, "TRIES_EXHAUSTED"].toSorted());
  });
});

describe("every mutation", () => {
  const fields = Object.values(schema.getMutationType()?.getFields() ?? {});

  it.each(fields.map((field) => [field.name, field] as const))(
    "%s takes one input and answers a union of one success and errors of the list",
    (name, field) => {
      expect(field.args.map((arg) => arg.name)).toEqual(["input"]);
      const union = unions.find((one) => `${one.name}!` === String(field.type));
      const members = union?.getTypes() ?? [];
      const [success, ...others] = members.filter(
        (member) => !member.getInterfaces().some((one) => one.name === "UserError"),
      );
      expect(success?.name.toLowerCase()).toBe(`${name}success`.toLowerCase());
      expect(others).toEqual([]);
      const known = new Set<string>(codes.map(([, { type }]) => type));
      const errors = members.filter((member) => member !== success);
      expect(errors.length).toBeGreaterThan(0);
      for (const error of errors) expect(known, error.name).toContain(error.name);
      // What takes several answers an outage in each one's union.
      const each = Object.values(success?.getFields() ?? {})
        .map(({ type }) => getNamedType(type))
        .filter(isUnionType)
        .flatMap((type) => type.getTypes());
      expect([...errors, ...each].map((one) => one.name)).toContain("ServiceUnavailable");
    },
  );

  it("shows how long to wait with each error that another try can mend", () => {
    for (const [code, { type, ...more }] of codes) {
      const object = schema.getType(type);
      if (isObjectType(object)) expect("retryAfterMs" in object.getFields(), code).toBe("retryable" in more);
    }
  });
});

it("the printed schema and documents are up to date", async () => {
  const codegen = new URL("../../codegen.ts", import.meta.url).pathname;
  await promisify(execFile)(process.execPath, [codegen, "--check"]);
});
