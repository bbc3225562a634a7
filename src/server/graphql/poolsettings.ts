import type { CodedError } from "../../shared/errors.ts";
import type { LaneWeights } from "../../shared/lane.ts";
import { isJury } from "../auth.ts";
import { changePool, executorsOf, hasHeard } from "../changepool.ts";
import { orCoded } from "../coded.ts";
import type { PoolChange, PoolSettingsDocument } from "../store/poolsettings.ts";
import { builder } from "./builder.ts";
import type { Context } from "./context.ts";
import { LaneWeight, weightsOf } from "./laneweight.ts";
import { readReason } from "./pauses.ts";
import { LaneEnum } from "./scalars.ts";
import { errorType, resultType } from "./usererror.ts";
import { notJury } from "./juryonly.ts";

/** What is changed of pools while they run. */

const WeightInput = builder.inputType("LaneWeightInput", {
  fields: (t) => ({
    lane: t.field({ type: LaneEnum, required: true }),
    weight: t.int({ required: true, description: "0 to 100." }),
  }),
});

const HoldMode = builder.enumType("PoolHold", {
  values: {
    PAUSED: { value: "paused", description: "Takes no further jobs; what runs is finished." },
    DRAINING: {
      value: "draining",
      description: "Takes no further jobs; what still runs after the executors' grace time is given back.",
    },
  } as const,
});

const Settings = builder.objectRef<PoolSettingsDocument>("PoolSettings").implement({
  description: "What was changed of a pool since its executors were configured; it stays over restarts.",
  fields: (t) => ({
    pool: t.exposeID("_id"),
    slots: t.exposeInt("slots", { nullable: true, description: "Of each executor; null: as configured." }),
    lanes: t.field({
      type: [LaneWeight],
      nullable: true,
      description: "Null: as configured.",
      resolve: ({ lanes }) => lanes && weightsOf(lanes),
    }),
    hold: t.field({ type: HoldMode, nullable: true, resolve: ({ hold }) => hold?.mode }),
    reason: t.string({
      nullable: true,
      description: "Why it takes no jobs.",
      resolve: ({ hold }) => hold?.reason,
    }),
    executors: t.int({
      description: "Live executors of the pool.",
      resolve: ({ _id }, _args, { backbone }) => executorsOf(backbone.executors(), _id).length,
    }),
    applied: t.int({
      description: "Of them, those that have taken over the newest change.",
      resolve: (settings, _args, { backbone }) =>
        executorsOf(backbone.executors(), settings._id).filter((one) => hasHeard(one, settings)).length,
    }),
    by: t.exposeString("by"),
    at: t.expose("at", { type: "DateTime" }),
  }),
});

const resultOf = (mutation: string) =>
  builder.unionType(`${mutation}Result`, {
    types: [
      builder
        .objectRef<{ readonly settings: PoolSettingsDocument }>(`${mutation}Success`)
        .implement({ fields: (t) => ({ settings: t.expose("settings", { type: Settings }) }) }),
      errorType("FORBIDDEN"),
      errorType("INPUT_INVALID"),
      errorType("SERVICE_UNAVAILABLE"),
    ],
    resolveType: resultType(`${mutation}Success`),
  });
const SetPoolResult = resultOf("SetPool");
const PausePoolResult = resultOf("PausePool");
const ResumePoolResult = resultOf("ResumePool");

/** For somebody who may. */
async function change(
  { viewer, store, backbone, clock, log }: Context,
  pool: string,
  to: PoolChange | CodedError,
): Promise<{ readonly settings: PoolSettingsDocument } | CodedError> {
  if (viewer === undefined || !isJury(viewer)) return notJury("Pools");
  if ("code" in to) return to;
  const settings = await changePool(
    {
      settings: store.poolSettings,
      executors: () => backbone.executors(),
      poolChanged: (changed) => backbone.poolChanged(changed),
      clock,
    },
    { pool, to, by: viewer.owner },
  );
  if ("code" in settings) return settings;
  log.warn({ pool, to, by: viewer.owner }, "pool changed");
  return { settings };
}

interface SetInput {
  readonly slots?: number | null | undefined;
  readonly lanes?:
    | readonly { readonly lane: keyof LaneWeights; readonly weight: number }[]
    | null
    | undefined;
}

/** Null is a value: as configured. What is left out stays. */
function changeOf({ slots, lanes }: SetInput): PoolChange | CodedError {
  if (slots === undefined && lanes === undefined)
    return { code: "INPUT_INVALID", message: "There is nothing to change: give slots, lanes or both." };
  const twice = lanes?.find((one, at) => lanes.findIndex(({ lane }) => lane === one.lane) !== at);
  if (twice !== undefined) return { code: "INPUT_INVALID", message: `lanes: ${twice.lane} is there twice.` };
  return {
    ...(slots === undefined ? {} : { slots }),
    ...(lanes === undefined
      ? {}
      : { lanes: lanes && Object.fromEntries(lanes.map(({ lane, weight }) => [lane, weight])) }),
  };
}

export function addPoolSettings(): void {
  builder.queryField("poolSettings", (t) =>
    t.field({
      type: [Settings],
      authScopes: { jury: true },
      description: "Pools that were changed while they run. Jury only.",
      resolve: (_root, _args, { store }) => store.poolSettings.list(),
    }),
  );
  builder.mutationField("setPool", (t) =>
    t.fieldWithInput({
      type: SetPoolResult,
      authScopes: { authenticated: true },
      description:
        "Changes slots and lanes of a pool's executors while they run, within what they were started with. Jury only.",
      typeOptions: { name: "SetPoolInput" },
      input: {
        pool: t.input.id({ required: true }),
        slots: t.input.int({ description: "Of each executor; null: as configured; left out: as it is." }),
        lanes: t.input.field({
          type: [WeightInput],
          description:
            "The lanes served, each with its weight; null: as configured; left out: as it is. A lane not named is not served.",
        }),
      },
      resolve: (_root, { input }, context) => orCoded(() => change(context, input.pool, changeOf(input))),
    }),
  );
  builder.mutationField("pausePool", (t) =>
    t.fieldWithInput({
      type: PausePoolResult,
      authScopes: { authenticated: true },
      description:
        "Lets a pool take no further jobs until `resumePool`; other pools with the same languages go on. Jury only.",
      typeOptions: { name: "PausePoolInput" },
      input: {
        pool: t.input.id({ required: true }),
        reason: t.input.string({ required: true, description: "Told to everybody who waits for it." }),
        drain: t.input.boolean({
          description: "Gives back what still runs after the executors' grace time, too.",
        }),
      },
      resolve: (_root, { input }, context) =>
        orCoded(() => {
          const reason = readReason(input.reason);
          const mode = input.drain === true ? ("draining" as const) : ("paused" as const);
          return change(
            context,
            input.pool,
            typeof reason === "string" ? { hold: { mode, reason } } : reason,
          );
        }),
    }),
  );
  builder.mutationField("resumePool", (t) =>
    t.fieldWithInput({
      type: ResumePoolResult,
      authScopes: { authenticated: true },
      description: "Lets a paused or drained pool go on. Jury only.",
      typeOptions: { name: "ResumePoolInput" },
      input: { pool: t.input.id({ required: true }) },
      resolve: (_root, { input }, context) => orCoded(() => change(context, input.pool, { hold: null })),
    }),
  );
}
