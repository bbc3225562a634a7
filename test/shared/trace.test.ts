import * as fc from "fast-check";
import { expect, it } from "vitest";
import { EnvironmentError, readEnv } from "../../src/shared/env.ts";
import { otlpVariables, traceSettingsOf } from "../../src/shared/otlp.ts";
import { childOf, NO_TRACER, readTraceparent, rootContext, traceparentOf } from "../../src/shared/trace.ts";
import { z } from "zod";

const judgements = fc.record({ submission: fc.string(), generation: fc.integer({ min: 1 }) });
const ratios = fc.double({ min: 0, max: 1, noNaN: true });

it("a context survives its header, and so does whether it is sampled", () => {
  fc.assert(
    fc.property(judgements, ratios, (judgement, ratio) => {
      const root = rootContext(judgement, ratio);
      expect(readTraceparent(traceparentOf(root))).toEqual(root);
      const child = childOf(root);
      expect(readTraceparent(traceparentOf(child))).toEqual(child);
      expect(child.traceId).toBe(root.traceId);
    }),
  );
});

it("what is no traceparent is none, and never an error", () => {
  fc.assert(fc.property(fc.string(), (text) => readTraceparent(text) === undefined));
  const ok = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  expect(readTraceparent(ok)).toEqual({
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    sampled: true,
  });
  for (const wrong of [
    ok.toUpperCase(),
    `${ok}-x`,
    ok.replace(/^00/, "01"),
    ok.replace(/-[0-9a-f]{32}-/, `-${"0".repeat(32)}-`),
    ok.replace(/-[0-9a-f]{16}-/, `-${"0".repeat(16)}-`),
  ])
    expect(readTraceparent(wrong), wrong).toBeUndefined();
});

it("the share that is sampled grows with the ratio: who is sampled by a smaller one is by a larger one, too", () => {
  fc.assert(
    fc.property(judgements, ratios, ratios, (judgement, one, other) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      expect(Number(rootContext(judgement, less).sampled)).toBeLessThanOrEqual(
        Number(rootContext(judgement, more).sampled),
      );
      expect(rootContext(judgement, 1).sampled).toBe(true);
      expect(rootContext(judgement, 0).sampled).toBe(false);
    }),
  );
  const sampled = Array.from({ length: 4_000 }, (_, i) =>
    rootContext({ submission: `s${i}`, generation: 1 }, 0.25),
  );
  const share = sampled.filter((one) => one.sampled).length / sampled.length;
  expect(share).toBeGreaterThan(0.2);
  expect(share).toBeLessThan(0.3);
});

it("each generation is a trace of its own", () => {
  const [first, second] = [1, 2].map((generation) => rootContext({ submission: "s", generation }, 1).traceId);
  expect(first).not.toBe(second);
  expect(NO_TRACER.root({ submission: "s", generation: 1 }).sampled).toBe(false);
});

it("reads OpenTelemetry's variables, and says which is wrong", () => {
  const read = (env: NodeJS.ProcessEnv) => traceSettingsOf(readEnv(z.object(otlpVariables), env));
  expect(read({})).toEqual({ endpoint: undefined, headers: {}, ratio: 1 });
  const endpoint = "http://127.0.0.1:4318";
  const headers = "api-key=a%3Db, x=1";
  expect(
    read({
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: headers,
      OTEL_TRACES_SAMPLER_ARG: "0.5",
    }),
  ).toEqual({ endpoint, headers: { "api-key": "a=b", x: "1" }, ratio: 0.5 });
  for (const wrong of [
    { OTEL_EXPORTER_OTLP_ENDPOINT: "127.0.0.1:4318" },
    { OTEL_EXPORTER_OTLP_HEADERS: "no pair" },
    { OTEL_EXPORTER_OTLP_HEADERS: "a=%" },
    { OTEL_TRACES_SAMPLER_ARG: "2" },
  ]) {
    const [name = ""] = Object.keys(wrong);
    expect(() => read(wrong), name).toThrow(EnvironmentError);
    expect(() => read(wrong), name).toThrow(name);
  }
});
