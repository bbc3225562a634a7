import type { PoolView } from "../scaling/pools.ts";
import { builder } from "./builder.ts";

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

const Pool = builder.objectRef<PoolView>("Pool").implement({
  description: "Executors with the same work, and how many of them there should be. At most two seconds old.",
  fields: (t) => ({
    name: t.exposeString("name"),
    executors: t.exposeInt("executors", { description: "Live ones that are not draining." }),
    ready: t.exposeInt("ready", { description: "Of them, those that take jobs now." }),
    slots: t.exposeInt("slots", { description: "Of all of them together." }),
    busy: t.exposeInt("busy", { description: "Slots with a job." }),
    waiting: t.float({
      description: "Jobs that wait for it: of a queue that several pools take, its part.",
      resolve: ({ waiting }) => rounded(waiting, 2),
    }),
    arrivalsPerSecond: t.float({
      description: "Jobs that come in for it, as of about the last half minute.",
      resolve: ({ arrivalsPerSecond }) => rounded(arrivalsPerSecond, 3),
    }),
    serviceMs: t.int({
      nullable: true,
      description: "Mean time that such a job holds a slot, milliseconds; null without any.",
      resolve: ({ serviceMs }) => (serviceMs === undefined ? null : Math.round(serviceMs)),
    }),
    leastExecutors: t.int({ resolve: ({ scale }) => scale.least }),
    mostExecutors: t.int({ resolve: ({ scale }) => scale.most }),
    targetWaitSeconds: t.float({
      description: "95 in 100 jobs are to wait no longer than so.",
      resolve: ({ scale }) => scale.targetWaitSeconds,
    }),
    coolDownSeconds: t.float({
      description: "So long less must have been enough before it shrinks.",
      resolve: ({ scale }) => scale.coolDownSeconds,
    }),
    desiredExecutors: t.exposeInt("desiredExecutors", {
      description:
        "As many as what waits and what comes in need for the target wait, between least and most, without flapping.",
    }),
  }),
});

export function addPools(): void {
  builder.queryField("pools", (t) =>
    t.field({
      type: [Pool],
      authScopes: { jury: true },
      description: "Pools with live executors or with scale settings, by name. Jury only.",
      resolve: async (_root, _args, { backbone }) => [...(await backbone.pools())],
    }),
  );
}
