import type { RejectedMessage } from "../store/rejected.ts";
import { builder } from "./builder.ts";
import { codedGraphQLError } from "./errors.ts";

const Rejected = builder.objectRef<RejectedMessage>("RejectedMessage").implement({
  description: "A message that could not be used and was taken out of its stream.",
  fields: (t) => ({
    at: t.expose("at", { type: "DateTime" }),
    source: t.exposeString("source", { description: "event or job" }),
    reason: t.exposeString("reason", {
      description: "malformed, forged, unrecordable (events); terminated, undeliverable (jobs)",
    }),
    place: t.exposeString("place", {
      description: "Subject of an event; stream, lane and sequence of a job.",
    }),
    why: t.exposeString("why"),
    excerpt: t.exposeString("excerpt", { description: "Its beginning, made printable." }),
  }),
});

export const addRejectedMessages = (): void =>
  builder.queryField("rejectedMessages", (t) =>
    t.field({
      type: [Rejected],
      authScopes: { jury: true },
      description: "The newest of the last thousand, newest first. Jury only.",
      args: {
        first: t.arg.int({
          required: true,
          defaultValue: 20,
          description: "At most so many, up to the limit pageSize.",
        }),
      },
      complexity: ({ first }) => ({ field: 1, multiplier: Math.max(1, first) }),
      resolve: async (_root, { first }, { store, limits }) => {
        if (first < 1 || first > limits.pageSize) {
          throw codedGraphQLError({
            code: "INPUT_INVALID",
            message: `first is ${first}; it must be from 1 to ${limits.pageSize}.`,
          });
        }
        return await store.rejected.newest(first);
      },
    }),
  );
