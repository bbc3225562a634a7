import { LANGUAGE_IDS, LanguageId } from "../../shared/language.ts";
import { isJury } from "../auth.ts";
import { orCoded } from "../coded.ts";
import type { ExecutorView } from "../fleet.ts";
import { builder } from "./builder.ts";
import { Executor } from "./capacity.ts";
import type { Context } from "./context.ts";
import { errorType, resultType } from "./usererror.ts";
import { notJury } from "./juryonly.ts";

const Success = builder
  .objectRef<{ readonly executor: ExecutorView }>("ReinstateExecutorSuccess")
  .implement({ fields: (t) => ({ executor: t.expose("executor", { type: Executor }) }) });

const Result = builder.unionType("ReinstateExecutorResult", {
  types: [
    Success,
    errorType("FORBIDDEN"),
    errorType("INPUT_INVALID"),
    errorType("EXECUTOR_NOT_FOUND"),
    errorType("SERVICE_UNAVAILABLE"),
  ],
  resolveType: resultType("ReinstateExecutorSuccess"),
});

const RETRY_AFTER_MS = 1_000;

interface Input {
  readonly executor: string;
  readonly language?: string | null | undefined;
}

async function reinstate({ viewer, backbone }: Context, { executor, language }: Input) {
  if (viewer === undefined || !isJury(viewer)) {
    return notJury("Executors");
  }
  const wanted = LanguageId.optional().safeParse(language ?? undefined);
  if (!wanted.success) {
    const message = `There is no language ${language}; there are ${LANGUAGE_IDS.join(", ")}.`;
    return { code: "INPUT_INVALID", message } as const;
  }
  const outcome = await backbone.reinstate({ executor, language: wanted.data });
  if (outcome.type === "told") return { executor: outcome.executor };
  if (outcome.type === "unavailable") {
    return {
      code: "SERVICE_UNAVAILABLE",
      message: "NATS cannot be reached right now, so no executor can be told. Try again.",
      retryAfterMs: RETRY_AFTER_MS,
    } as const;
  }
  return {
    code: "EXECUTOR_NOT_FOUND",
    message: `No executor ${executor} has been heard of lately.`,
  } as const;
}

export const addReinstateExecutor = (): void =>
  builder.mutationField("reinstateExecutor", (t) =>
    t.fieldWithInput({
      type: Result,
      authScopes: { authenticated: true },
      description:
        "Tells an executor to offer again what it took out because its jobs kept failing, without waiting for a self-test; what never worked there is tested anew. Jury only.",
      typeOptions: { name: "ReinstateExecutorInput" },
      input: {
        executor: t.input.string({ required: true, description: "Its name." }),
        language: t.input.string({ description: "One language only." }),
      },
      resolve: (_root, { input }, context) => orCoded(() => reinstate(context, input)),
    }),
  );
