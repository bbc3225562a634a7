import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import type { WorkKind } from "../../src/executors/work.ts";
import { hashApiKey } from "../../src/server/auth.ts";
import { openStore } from "../../src/server/store/store.ts";
import { createLog } from "../../src/shared/log.ts";
import { createTracer, type TraceSettings } from "../../src/shared/otlp.ts";
import type { Service } from "../../src/shared/lifecycle.ts";
import { subjects } from "../../src/shared/topology.ts";
import { readTraceparent, rootContext, TRACEPARENT, type Tracer } from "../../src/shared/trace.ts";
import { openTestExecutor } from "../executors/backbone/inprocess.ts";
import { executorEnv, startExecutorProcess, temporaryFolder } from "../executors/backbone/stage.ts";
import { namespace } from "../support/namespace.ts";
import { startServerProcess } from "../support/serverprocess.ts";
import { submitted } from "./http/client.ts";
import {
  accepted,
  eventually,
  openWire,
  PROBLEM,
  putProblem,
  type Server,
  startServer,
  type Wire,
} from "./rig.ts";

const own = namespace();
const ns = { ...own, topology: { ...own.topology, languages: ["python"] as const } };
const folder = temporaryFolder();
let wire: Wire;
beforeAll(async () => {
  wire = await openWire(ns);
});
afterAll(() => wire.close());

const Value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
  z.strictObject({ boolValue: z.boolean() }),
]);
const Attributes = z.array(z.strictObject({ key: z.string(), value: Value }));
/** OTLP's ExportTraceServiceRequest in JSON, as far as it is sent. */
const Request = z.strictObject({
  resourceSpans: z.array(
    z.strictObject({
      resource: z.strictObject({ attributes: Attributes }),
      scopeSpans: z.array(
        z.strictObject({
          scope: z.strictObject({ name: z.string() }),
          spans: z.array(
            z.strictObject({
              traceId: z.string().regex(/^[0-9a-f]{32}$/),
              spanId: z.string().regex(/^[0-9a-f]{16}$/),
              parentSpanId: z
                .string()
                .regex(/^[0-9a-f]{16}$/)
                .optional(),
              name: z.string(),
              kind: z.int().min(1).max(5),
              startTimeUnixNano: z.string().regex(/^\d{19}$/),
              endTimeUnixNano: z.string().regex(/^\d{19}$/),
              attributes: Attributes,
              status: z.strictObject({ code: z.literal(2), message: z.string() }).optional(),
            }),
          ),
        }),
      ),
    }),
  ),
});
type Spans = z.infer<typeof Request>["resourceSpans"][number]["scopeSpans"][number]["spans"];
type Received = Spans[number] & { readonly service: string };

interface Collector {
  readonly settings: TraceSettings;
  readonly spans: Received[];
  readonly headers: IncomingHttpHeaders[];
  /** Statuses to answer with next; 200 when there are none. */
  readonly answers: number[];
}

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A collector of traces that speaks OTLP over HTTP; what does not fit the protocol is answered 400. */
async function collector(): Promise<Collector> {
  const spans: Received[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const answers: number[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      headers.push(request.headers);
      const body = Request.safeParse(JSON.parse(Buffer.concat(chunks).toString()));
      const fits = body.success && request.method === "POST" && request.url === "/v1/traces";
      const status = fits ? (answers.shift() ?? 200) : 400;
      if (fits && status === 200)
        for (const { resource, scopeSpans } of body.data.resourceSpans) {
          const named = resource.attributes.find(({ key }) => key === "service.name")?.value;
          const service = named !== undefined && "stringValue" in named ? named.stringValue : "";
          spans.push(...scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ ...span, service }))));
        }
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  });
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { settings: { endpoint, headers: { "x-key": "k" }, ratio: 1 }, spans, headers, answers };
}

async function tracing(settings: TraceSettings, service: string): Promise<Tracer> {
  const log = createLog("test", "silent");
  const { tracer, services } = createTracer({ settings, service, instance: "one", log });
  for (const one of services) {
    await one.start();
    closing.push(() => one.stop());
  }
  return tracer;
}

async function serve(tracer?: Tracer): Promise<Server> {
  const server = await startServer(tracer === undefined ? ns : { ...ns, tracer });
  closing.push(() => server.stop());
  await putProblem(server.store);
  return server;
}

/** Compiles, runs two tests, and finds the program right. */
const judge: WorkKind = {
  kind: "judge",
  run: (_, context) => {
    context.report("compiled", {});
    context.report("progress", {});
    context.report("progress", {});
    return Promise.resolve({ type: "finished", result: { verdict: "AC" } });
  },
};

async function execute(tracer?: Tracer): Promise<void> {
  const workDir = join(folder(), "e1");
  mkdirSync(workDir, { recursive: true });
  const env = executorEnv(ns.natsUrl, ns.topology, { id: "e1", workDir });
  const { executor } = await openTestExecutor(env, judge, undefined, tracer);
  closing.push(() => executor.stop());
}

async function watchToTheEnd(server: Server, submission: Parameters<Server["backbone"]["feed"]["watch"]>[0]) {
  let last;
  for await (const snapshot of server.backbone.feed.watch(submission)) last = snapshot.judgement;
  return last;
}

it("a judgement is one trace, from the request over the queue and an executor to whoever waited for it", async () => {
  const { settings, spans, headers } = await collector();
  const server = await serve(await tracing(settings, "docket-server"));
  const heard: (string | undefined)[] = [];
  const listener = wire.connection.subscribe(subjects.allEvents(ns.topology), {
    callback: (_, message) => void heard.push(message.headers?.get(TRACEPARENT)),
  });
  await execute(await tracing(settings, "docket-executor"));
  const { submission } = await accepted(server);
  expect((await watchToTheEnd(server, submission._id))?.state).toBe("FINISHED");
  const wanted = [
    "claim",
    "compile",
    "deliver",
    "judgement",
    "publish",
    "record",
    "submit",
    "test 1",
    "test 2",
    "wait",
  ];
  await eventually(
    () => Promise.resolve(new Set(spans.map(({ name }) => name))),
    (names) => wanted.every((name) => names.has(name)),
  );
  listener.unsubscribe();

  const { traceId, spanId } = rootContext({ submission: submission._id, generation: 1 }, 1);
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  expect(new Set(spans.map((span) => span.spanId)).size).toBe(spans.length);
  const one = (name: string): Received => {
    const [found, second] = spans.filter((span) => span.name === name);
    if (found === undefined || (second !== undefined && name !== "record"))
      throw new Error(`not one ${name}`);
    expect(BigInt(found.endTimeUnixNano) - BigInt(found.startTimeUnixNano)).toBeGreaterThanOrEqual(0n);
    return found;
  };
  expect(one("judgement")).toMatchObject({ spanId, service: "docket-server" });
  expect(one("judgement").parentSpanId).toBeUndefined();
  for (const name of ["submit", "publish", "record", "deliver"])
    expect(one(name), name).toMatchObject({ parentSpanId: spanId, service: "docket-server" });
  for (const name of ["wait", "claim"])
    expect(one(name), name).toMatchObject({
      parentSpanId: one("publish").spanId,
      service: "docket-executor",
    });
  for (const name of ["compile", "test 1", "test 2"])
    expect(one(name), name).toMatchObject({ parentSpanId: one("claim").spanId, service: "docket-executor" });
  expect(heard.length).toBeGreaterThan(0);
  for (const header of heard)
    expect(readTraceparent(header)).toEqual({ traceId, spanId: one("claim").spanId, sampled: true });
  for (const given of headers)
    expect(given).toMatchObject({ "x-key": "k", "content-type": "application/json" });
});

it("an executor whose server tells no traces adds to the same one", async () => {
  const { settings, spans } = await collector();
  const server = await serve();
  await execute(await tracing(settings, "docket-executor"));
  const { submission } = await accepted(server);
  await watchToTheEnd(server, submission._id);
  const claim = await eventually(
    () => Promise.resolve(spans.find(({ name }) => name === "claim")),
    (found) => found !== undefined,
  );
  const root = rootContext({ submission: submission._id, generation: 1 }, 1);
  expect(claim).toMatchObject({ traceId: root.traceId, parentSpanId: root.spanId });
});

it("without a collector a job carries no trace", async () => {
  const server = await serve();
  const { submission } = await accepted(server);
  const held = await wire.executor("e2").take();
  expect(held.job.submission).toBe(submission._id);
  expect(held.message.headers?.get(TRACEPARENT) ?? "").toBe("");
});

it("what the collector does not take is sent again, and dropped when it is refused", async () => {
  const { settings, spans, answers, headers } = await collector();
  answers.push(503, 200, 400);
  const { tracer, services } = createTracer({
    settings,
    service: "s",
    instance: "i",
    log: createLog("test", "silent"),
  });
  const [sender] = services as [Service];
  const ended = (name: string): void => {
    const context = tracer.root({ submission: name, generation: 1 });
    tracer.ended({ name, context, kind: "internal", startMs: 1.7e12, endMs: 1.7e12 - 5, failed: "why" });
  };
  ended("a");
  await sender.start();
  await eventually(
    () => Promise.resolve(spans.length),
    (count) => count === 1,
  );
  expect(spans[0]).toMatchObject({
    startTimeUnixNano: "1700000000000000000",
    endTimeUnixNano: "1700000000000000000",
    status: { code: 2, message: "why" },
  });
  ended("b");
  await sender.stop();
  expect(headers).toHaveLength(3);
  expect(spans.map(({ name }) => name)).toEqual(["a"]);
});

// Last, as its job goes on coming back.
it("a server's and an executor's process are told of the collector by its variable", async () => {
  const { settings, spans, headers } = await collector();
  const told = {
    OTEL_EXPORTER_OTLP_ENDPOINT: settings.endpoint ?? "",
    OTEL_EXPORTER_OTLP_HEADERS: "x-key=k%21",
  };
  const store = await openStore({ url: ns.mongodbUrl, database: ns.database });
  const createdAt = new Date();
  await store.apiKeys.put({
    _id: hashApiKey("key-of-alice"),
    owner: "alice",
    role: "participant",
    createdAt,
  });
  await putProblem(store);
  await store.close();
  const server = await startServerProcess(ns, { ...told, DOCKET_LANGUAGES: "python" });
  const workDir = join(folder(), "e3");
  mkdirSync(workDir);
  const executor = await startExecutorProcess({
    ...executorEnv(ns.natsUrl, ns.topology, { id: "e3", workDir }),
    ...told,
  });
  closing.push(async () => {
    for (const one of [executor, server]) one.kill("SIGKILL");
    await Promise.all([executor.exited, server.exited]);
  });
  const submission = await submitted(server.url, "key-of-alice", PROBLEM);
  // It knows no judging, so it says that this job is a fault.
  const claim = await eventually(
    () => Promise.resolve(spans.find(({ name }) => name === "claim")),
    (found) => found !== undefined,
  );
  expect(claim?.service).toBe("docket-executor");
  expect(claim?.status?.message).toContain("JOB_MALFORMED");
  await eventually(
    () => Promise.resolve(spans.filter(({ service }) => service === "docket-server").map(({ name }) => name)),
    (names) => names.includes("submit") && names.includes("publish") && names.includes("record"),
  );
  const { traceId } = rootContext({ submission, generation: 1 }, 1);
  expect(new Set(spans.map((span) => span.traceId))).toEqual(new Set([traceId]));
  for (const given of headers) expect(given["x-key"]).toBe("k!");
}, 60_000);
