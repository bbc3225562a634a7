import type { LanguageInfo } from "../../shared/language.ts";
import { builder } from "./builder.ts";

export const Language = builder.objectRef<LanguageInfo>("Language").implement({
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
