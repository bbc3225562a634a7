import type { LanguageInfo } from "../../shared/language.ts";
import { builder } from "./builder.ts";

export const Language = builder.objectRef<LanguageInfo>("Language").implement({
  description: "A programming language that Docket knows; `languages` says whether it is on offer.",
  fields: (t) => ({
    id: t.exposeID("id"),
    name: t.exposeString("name"),
    extensions: t.field({
      type: ["String"],
      description: "File endings without the dot.",
      resolve: ({ extensions }) => [...extensions],
    }),
  }),
});
