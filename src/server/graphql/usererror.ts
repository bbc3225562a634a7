import { type CodedError, type ErrorCode, ERRORS } from "../../shared/errors.ts";
import { builder } from "./builder.ts";

/** A caller's mistake, or a refusal, as a member of a mutation's result union. */

const ErrorCodeEnum = builder.enumType("ErrorCode", {
  description: "Every code that an error can carry, in a result union or in `extensions.code`.",
  values: Object.fromEntries(
    Object.entries(ERRORS).map(([code, { doc }]) => [code, { value: code as ErrorCode, description: doc }]),
  ),
});

export const UserError = builder.interfaceRef<CodedError>("UserError").implement({
  description: "A mistake of the caller or a refusal: what happened and what to do.",
  fields: (t) => ({
    code: t.expose("code", { type: ErrorCodeEnum }),
    message: t.exposeString("message"),
  }),
});

function defineErrorType(code: ErrorCode) {
  const definition = ERRORS[code];
  return builder.objectRef<CodedError>(definition.type).implement({
    description: definition.doc,
    interfaces: [UserError],
    fields: (t) => ({
      ...("retryable" in definition
        ? {
            retryAfterMs: t.exposeInt("retryAfterMs", {
              nullable: true,
              description: "Try again after this many milliseconds.",
            }),
          }
        : {}),
      ...("limited" in definition
        ? { limit: t.exposeInt("limit", { nullable: true, description: "The limit that was passed." }) }
        : {}),
    }),
  });
}

const defined = new Map<ErrorCode, ReturnType<typeof defineErrorType>>();

/** The object type of a code's errors; those that another try can mend show after how long. */
export function errorType(code: ErrorCode) {
  const type = defined.get(code) ?? defineErrorType(code);
  defined.set(code, type);
  return type;
}

/** `resolveType` of a result union: an error by its code, everything else by `success`. */
export const resultType =
  (success: string) =>
  (value: object): string =>
    "code" in value ? ERRORS[value.code as ErrorCode].type : success;
