import type { Lane } from "../shared/lane.ts";
import { languageNamed, LANGUAGES } from "../shared/language.ts";
import type { Log } from "../shared/log.ts";
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
  readonly allTests?: boolean | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly lane?: Lane | null | undefined;
  readonly contest?: string | null | undefined;
}

const encoder = new TextEncoder();

/** A lone source gets the name that its language gives to one. */
export function filesOf({ source, files, language }: Pick<Handed, "source" | "files" | "language">) {
  const given = [source, files].filter((one) => one !== undefined && one !== null);
  if (given.length !== 1) {
    return refuse("INPUT_INVALID", "Give either source (a program of one file) or files, and not both.");
  }
  const known = languageNamed(language);
  const name = known === undefined ? "source" : LANGUAGES[known].defaultFile;
  const texts = files ?? [{ name, content: source ?? "" }];
  return texts.map((file) => ({ name: file.name, content: encoder.encode(file.content) }));
}

/** Hands in for the viewer, with one line in the log. Throws what `submit` throws. */
export async function submitAs(
  deps: { readonly backbone: Pick<Backbone, "submit">; readonly log: Log },
  viewer: Viewer,
  handed: Handed,
): Promise<SubmitOutcome> {
  const files = filesOf(handed);
  if ("type" in files) return files;
  const outcome = await deps.backbone.submit({
    owner: viewer.owner,
    role: viewer.role,
    problem: handed.problem,
    language: handed.language,
    files,
    entryPoint: handed.entryPoint ?? undefined,
    allTests: handed.allTests ?? undefined,
    idempotencyKey: handed.idempotencyKey ?? undefined,
    lane: handed.lane ?? undefined,
    contest: handed.contest ?? undefined,
  });
  if (outcome.type === "accepted") {
    const { _id, problem, language, owner } = outcome.snapshot.submission;
    deps.log.info({ submission: _id, owner, problem, language, replayed: outcome.replayed }, "accepted");
  } else {
    deps.log.debug({ owner: viewer.owner, code: outcome.code }, "not accepted");
  }
  return outcome;
}
