import { CODE_RUN_KIND, CodeRunOutcome, CodeRunResult } from "../../shared/coderun.ts";
import { LANGUAGES, type LanguageId } from "../../shared/language.ts";
import { orCoded } from "../coded.ts";
import { revisionOf } from "../store/documents.ts";
import { filesOf } from "../submitas.ts";
import { type WorkView, workViewOf } from "../workview.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { codedGraphQLError } from "./errors.ts";
import { Language } from "./language.ts";
import { Compile } from "./results.ts";
import { StateEnum } from "./scalars.ts";
import { FileInput } from "./submitsubmission.ts";
import { mapUpdates } from "./updates.ts";
import { errorType, resultType } from "./usererror.ts";
import { findWork } from "./work.ts";

interface CodeRunView extends WorkView {
  readonly result: CodeRunResult;
}

type Ended = NonNullable<CodeRunResult["run"]>;

const OutcomeEnum = builder.enumType("CodeRunOutcome", {
  description:
    "How a run ended. OK: by itself, with exit code 0; CE: it did not compile; the others as the verdicts of the same name.",
  values: CodeRunOutcome.options,
});

const Execution = builder.objectRef<Ended>("CodeExecution").implement({
  description: "What one run of a program did.",
  fields: (t) => ({
    exitCode: t.exposeInt("exitCode", { nullable: true }),
    signal: t.exposeString("signal", { nullable: true, description: "That ended it, e.g. SIGSEGV." }),
    cpuMs: t.exposeFloat("cpuMs"),
    wallMs: t.exposeFloat("wallMs"),
    memoryKiB: t.exposeFloat("memoryKiB"),
    stdout: t.string({
      description: "Its beginning, up to the limit codeRunShownBytes.",
      resolve: ({ stdout }) => stdout.text,
    }),
    stdoutTruncated: t.boolean({ resolve: ({ stdout }) => stdout.truncated }),
    stderr: t.string({
      description: "Its beginning, up to the limit codeRunShownBytes.",
      resolve: ({ stderr }) => stderr.text,
    }),
    stderrTruncated: t.boolean({ resolve: ({ stderr }) => stderr.truncated }),
  }),
});

const CodeRun = builder.objectRef<CodeRunView>("CodeRun").implement({
  description: "A program on its owner's own input, without a problem. Kept for the time `codeRunKeepMs`.",
  fields: (t) => ({
    id: t.id({ resolve: ({ work }) => work._id }),
    language: t.field({ type: Language, resolve: ({ work }) => LANGUAGES[work.language as LanguageId] }),
    state: t.field({
      type: StateEnum,
      description: "FINISHED with an `outcome`; FAILED: there was trouble on our side, run it again.",
      resolve: ({ judgement }) => judgement.state,
    }),
    revision: t.int({
      description: "Grows with every stored change: give it to `codeRunUpdated` to go on from here.",
      resolve: ({ judgement }) => revisionOf(judgement),
    }),
    outcome: t.field({ type: OutcomeEnum, nullable: true, resolve: ({ result }) => result.outcome }),
    compile: t.field({ type: Compile, nullable: true, resolve: ({ result }) => result.compile }),
    run: t.field({
      type: Execution,
      nullable: true,
      description: "Once it has ended; null where it did not compile.",
      resolve: ({ result }) => result.run,
    }),
    createdAt: t.field({ type: "DateTime", resolve: ({ work }) => work.createdAt }),
    finishedAt: t.field({
      type: "DateTime",
      nullable: true,
      resolve: ({ judgement }) => judgement.finishedAt,
    }),
    expiresAt: t.field({
      type: "DateTime",
      nullable: true,
      description: "It is removed then.",
      resolve: ({ work }) => work.expiresAt,
    }),
  }),
});

function viewOf(view: WorkView | undefined): CodeRunView | undefined {
  if (view === undefined || view.work.kind !== CODE_RUN_KIND) return undefined;
  const result = CodeRunResult.safeParse(view.judgement.result ?? {});
  return { ...view, result: result.success ? result.data : {} };
}

const findCodeRun = async (context: Context, id: string): Promise<CodeRunView | undefined> =>
  viewOf(await findWork(context, id));

interface Taken {
  readonly codeRun: CodeRunView;
  readonly replayed: boolean;
}

const Result = builder.unionType("RunCodeResult", {
  types: [
    builder.objectRef<Taken>("RunCodeSuccess").implement({
      fields: (t) => ({
        codeRun: t.expose("codeRun", { type: CodeRun }),
        replayed: t.exposeBoolean("replayed", {
          description: "This idempotency key had been used before, with the same content.",
        }),
      }),
    }),
    errorType("INPUT_INVALID"),
    errorType("LANGUAGE_NOT_OFFERED"),
    errorType("SOURCE_EMPTY"),
    errorType("SOURCE_TOO_LARGE"),
    errorType("TOO_MANY_FILES"),
    errorType("FILE_NAME_INVALID"),
    errorType("IDEMPOTENCY_CONFLICT"),
    errorType("RATE_LIMITED"),
    errorType("TOO_MANY_UNFINISHED"),
    errorType("QUEUE_SATURATED"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("RunCodeSuccess"),
});

function addMutation(): void {
  builder.mutationField("runCode", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description:
        "Runs a program on an input of one's own, in the lane CUSTOM. The answer comes as soon as it is stored; follow `codeRunUpdated` for its output.",
      typeOptions: { name: "RunCodeInput" },
      input: {
        language: t.input.string({ required: true, description: "A language's id, as in `languages`." }),
        source: t.input.string({ description: "A program of one file; or give `files`." }),
        files: t.input.field({ type: [FileInput], description: "All files; or give `source`." }),
        entryPoint: t.input.string({
          description: "Main file or class, where it cannot be told from the files.",
        }),
        stdin: t.input.string({ description: "Standard input; nothing where it is missing." }),
        idempotencyKey: t.input.string({ description: "The same key again gives the same run." }),
      },
      resolve: async (_root, { input }, { viewer, backbone, log }) => {
        if (viewer === undefined) throw new Error("authScopes let nobody in without a key");
        const files = filesOf(input);
        if ("type" in files) return files;
        const outcome = await orCoded(() =>
          backbone.runCode({
            owner: viewer.owner,
            role: viewer.role,
            language: input.language,
            files,
            entryPoint: input.entryPoint ?? undefined,
            stdin: input.stdin == null ? undefined : new TextEncoder().encode(input.stdin),
            idempotencyKey: input.idempotencyKey ?? undefined,
          }),
        );
        if (!("type" in outcome) || outcome.type !== "accepted") return outcome;
        const { snapshot, replayed } = outcome;
        log.info({ submission: snapshot.submission._id, owner: viewer.owner, replayed }, "code run accepted");
        const codeRun = viewOf(workViewOf(viewer, snapshot));
        // Only a key that was used for something else before gives something else.
        return codeRun === undefined ? KEY_USED : { codeRun, replayed };
      },
    }),
  );
}

const KEY_USED = {
  code: "IDEMPOTENCY_CONFLICT",
  message: "The idempotency key was used for something that is no code run; take a new key.",
} as const;

async function follow(context: Context, id: string, afterRevision: number | undefined) {
  const { viewer } = context;
  const found = await findCodeRun(context, id);
  if (found === undefined || viewer === undefined) {
    const message = `There is no code run ${id} that you may see, or not any more.`;
    throw codedGraphQLError({ code: "SUBMISSION_NOT_FOUND", message });
  }
  return mapUpdates(context.backbone.feed.watch(found.work._id, afterRevision), {
    each: async (snapshot) => {
      const view = viewOf(workViewOf(viewer, snapshot));
      if (view !== undefined && (await context.stillAllowed())) return view;
      throw codedGraphQLError({ code: "UNAUTHENTICATED", message: "The API key has been revoked." });
    },
  });
}

export function addCodeRuns(): void {
  addMutation();
  builder.queryField("codeRun", (t) =>
    t.field({
      type: CodeRun,
      nullable: true,
      authScopes: { authenticated: true },
      description:
        "A run on own input; null when there is none with this id that you may see, or not any more.",
      args: { id: t.arg.id({ required: true }) },
      resolve: async (_root, { id }, context) => await findCodeRun(context, id),
    }),
  );
  builder.subscriptionField("codeRunUpdated", (t) =>
    t.field({
      type: CodeRun,
      authScopes: { authenticated: true },
      description: "The run now, then each time something newer is stored, as `verdictUpdated` does.",
      args: {
        codeRunId: t.arg.id({ required: true }),
        afterRevision: t.arg.int({ description: "Only what is newer than this revision." }),
      },
      subscribe: (_root, { codeRunId, afterRevision }, context) =>
        follow(context, codeRunId, afterRevision ?? undefined),
      resolve: (view) => view,
    }),
  );
}
