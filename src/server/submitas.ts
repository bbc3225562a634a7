import type { Lane } from "../shared/lane.ts";
import { LANGUAGES, LanguageId } from "../shared/language.ts";
import type { Viewer } from "./auth.ts";
import type { Backbone } from "./backbone.ts";
import { refuse, type SubmitOutcome } from "./intake/outcome.ts";

/** A submission as both faces take it: text, and either one source or files. */
export interface Handed {
  readonly problem: string;
  readonly language: string;
  readonly source?: string | null | undefined;
  readonly files?: readonly { readonly name: string; readonly content: string }[] | null | undefined;
  readonly entryPoint?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly lane?: Lane | null | undefined;
}

const encoder = new TextEncoder();

/** A lone source gets the name that its language gives to one. */
function filesOf({ source, files, language }: Handed) {
  if (source === undefined || source === null) return files ?? [];
  const known = LanguageId.safeParse(language);
  return [{ name: known.success ? LANGUAGES[known.data].defaultFile : "source", content: source }];
}

/** Hands in for the viewer. Throws what `submit` throws. */
export async function submitAs(
  backbone: Pick<Backbone, "submit">,
  viewer: Viewer,
  handed: Handed,
): Promise<SubmitOutcome> {
  const given = [handed.source, handed.files].filter((one) => one !== undefined && one !== null);
  if (given.length !== 1) {
    return refuse("INPUT_INVALID", "Give either source (a program of one file) or files, and not both.");
  }
  return await backbone.submit({
    owner: viewer.owner,
    role: viewer.role,
    problem: handed.problem,
    language: handed.language,
    files: filesOf(handed).map(({ name, content }) => ({ name, content: encoder.encode(content) })),
    entryPoint: handed.entryPoint ?? undefined,
    idempotencyKey: handed.idempotencyKey ?? undefined,
    lane: handed.lane ?? undefined,
  });
}
