import { Agent, request } from "node:http";
import { connect } from "node:net";
import type { Chance } from "./chance.ts";
import { makeOperation } from "./documents.ts";
import { junk, junkString } from "./junk.ts";
import { ownFault } from "./leaks.ts";
import { mutateBytes, mutateJson, mutateText } from "./mutate.ts";
import type { Answer, Input, World } from "./world.ts";

const agent = new Agent({ keepAlive: true, maxSockets: 64 });
export const closeHttp = (): void => agent.destroy();

interface HttpInput {
  readonly method: string;
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** An event stream is read to its first event: it may stay open by right. Pages and scripts are not looked into. */
async function exchange(world: World, input: HttpInput, signal: AbortSignal): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const call = request(
    {
      agent,
      host: "127.0.0.1",
      port: world.port,
      signal,
      method: input.method,
      path: input.path,
      headers: input.headers,
    },
    (response) => {
      let body = "";
      const status = response.statusCode ?? 0;
      const type = response.headers["content-type"] ?? "";
      const done = (): void => {
        const plain = !/html|javascript|css|text\/plain|image|font|octet/.test(type);
        const text = plain ? `${body}\n${JSON.stringify(response.headers)}` : "";
        resolve({ text, fault: ownFault(status, plain ? body : "") });
      };
      response.on("data", (chunk: Buffer) => {
        if (body.length < 1_000_000) body += chunk.toString("utf8");
        if (type.includes("event-stream") && body.includes("\n\n")) {
          done();
          call.destroy();
        }
      });
      response.on("end", done);
      response.on("error", () => done());
    },
  );
  // The server may cut a connection whose request it will not read to its end.
  call.on("error", (error: NodeJS.ErrnoException) => {
    if (signal.aborted || error.code === "ECONNREFUSED") reject(error);
    else resolve({ text: "", fault: false });
  });
  call.end(input.body);
  return await promise;
}

const asInput = (kind: string, input: HttpInput): Input => ({
  kind,
  text: `${input.method} ${input.path}\n${JSON.stringify(input.headers)}\n\n${input.body.toString("latin1")}\n${input.body.toString("utf8")}`,
  send: (world, signal) => exchange(world, input, signal),
});

const headerSafe = (text: string): string => text.replaceAll(/[^\x20-\x7e]/g, "").slice(0, 2_000);

function authorization(chance: Chance, world: World): Record<string, string> {
  const kind = chance.int(20);
  if (kind === 0) return {};
  if (kind === 1) return { authorization: headerSafe(`Bearer ${junkString(chance)}`) };
  return { authorization: `Bearer ${chance.yes(0.5) ? world.keys.participant : world.keys.jury}` };
}

export function graphqlInput(chance: Chance, world: World): Input {
  const operation = makeOperation(chance, world);
  let body: Buffer = Buffer.from(JSON.stringify(operation) ?? "");
  if (chance.yes(0.05)) body = mutateBytes(chance, body);
  const accept = chance.yes(0.8)
    ? "application/json"
    : chance.pick(["text/event-stream", "*/*", "application/graphql-response+json", "x/y"]);
  const headers = {
    accept,
    "content-type": chance.yes(0.95) ? "application/json" : headerSafe(junkString(chance)),
    ...authorization(chance, world),
  };
  if (chance.yes(0.05)) {
    const query = new URLSearchParams({
      query: typeof operation.query === "string" ? operation.query : JSON.stringify(operation.query ?? null),
      variables: JSON.stringify(operation.variables) ?? "",
    });
    return asInput("graphql", {
      method: "GET",
      path: `/graphql?${query.toString().slice(0, 8_000)}`,
      headers,
      body: Buffer.alloc(0),
    });
  }
  return asInput("graphql", { method: "POST", path: "/graphql", headers, body });
}

export function restInput(chance: Chance, world: World): Input {
  const id = chance.yes(0.7) ? chance.any(world.submissions) : junkString(chance);
  const query = chance.yes(0.5)
    ? ""
    : `?waitMs=${chance.pick(["0", "50", "-1", "1e3", "x"])}&afterRevision=${encodeURIComponent(JSON.stringify(junk(chance, 0)))}`;
  const path = chance
    .pick([
      "/submissions",
      "/submissions",
      "/submissions",
      `/submissions/${encodeURIComponent(String(id).toWellFormed())}${query}`,
      `/blobs/${encodeURIComponent(junkString(chance).toWellFormed())}`,
      `/blobs/${"ab".repeat(32)}`,
      "/openapi.json",
      "/livez",
      `/${encodeURIComponent(junkString(chance).toWellFormed())}`,
    ])
    .slice(0, 8_000);
  const made = mutateJson(chance, {
    problem: world.problem,
    language: "python",
    source: "print(1)\n",
    lane: "practice",
    entryPoint: "main",
  });
  const body = Buffer.from(
    chance.yes(0.15) ? mutateText(chance, JSON.stringify(made) ?? "") : (JSON.stringify(made) ?? ""),
  );
  const headers: Record<string, string> = {
    ...authorization(chance, world),
    "content-type": "application/json; charset=utf-8",
  };
  if (chance.yes(0.4)) headers["idempotency-key"] = headerSafe(junkString(chance));
  if (chance.yes(0.1)) headers["if-none-match"] = headerSafe(junkString(chance));
  if (chance.yes(0.05)) headers["origin"] = headerSafe(junkString(chance));
  if (chance.yes(0.05)) headers["host"] = headerSafe(junkString(chance));
  if (chance.yes(0.1)) headers["content-type"] = headerSafe(junkString(chance));
  const method =
    path === "/submissions" && chance.yes(0.9)
      ? "POST"
      : chance.pick(["GET", "GET", "POST", "PUT", "OPTIONS", "DELETE", "HEAD"]);
  return asInput("rest", {
    method,
    path,
    headers,
    body: ["GET", "HEAD"].includes(method) ? Buffer.alloc(0) : body,
  });
}

/** Bytes on a bare connection; the other side must answer or close when nothing more comes. */
export function rawInput(chance: Chance, kind: string, bytes: Buffer): Input {
  return {
    kind,
    text: bytes.toString("latin1"),
    send: async (world, signal) => {
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const socket = connect({ host: "127.0.0.1", port: world.port, signal });
      const chunks: Buffer[] = [];
      socket.on("data", (chunk: Buffer) => chunks.push(chunk));
      socket.on("close", () => {
        const text = Buffer.concat(chunks).toString("latin1");
        const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0);
        resolve({ text, fault: ownFault(status, text) });
      });
      socket.on("error", (error: NodeJS.ErrnoException) => {
        if (signal.aborted || error.code === "ECONNREFUSED") reject(error);
      });
      socket.end(bytes);
      return await promise;
    },
  };
}

export function rawHttpInput(chance: Chance, world: World): Input {
  const body = JSON.stringify(makeOperation(chance, world)).slice(0, 2_000);
  const good = `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${world.port}\r\nContent-Type: application/json\r\nAuthorization: Bearer ${world.keys.participant}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  return rawInput(chance, "http", mutateBytes(chance, Buffer.from(good)));
}

const IMPORT = `mutation ($input: ImportProblemInput!) { importProblem(input: $input) { __typename ... on UserError { code message }
  ... on PackageRefused { findings { severity file line message expected } } ... on ImportProblemSuccess { problem { id name } warnings { message file } } } }`;

/** `contents`: what the archive holds, which a finding may quote. */
export function packageRequest(
  world: World,
  given: { readonly archive: Buffer; readonly name: string; readonly multipart: boolean },
  contents: string,
): Input {
  const { archive, name, multipart } = given;
  const authorized = { authorization: `Bearer ${world.keys.jury}`, accept: "application/json" };
  let input: HttpInput;
  if (multipart) {
    const line = "--fuzz-boundary";
    const operations = JSON.stringify({
      query: IMPORT,
      variables: { input: { archive: null, archiveName: name.toWellFormed() } },
    });
    const part = (head: string, body: string | Buffer): Buffer =>
      Buffer.concat([
        Buffer.from(`${line}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
        Buffer.from(body),
        Buffer.from("\r\n"),
      ]);
    const body = Buffer.concat([
      part('name="operations"', operations),
      part('name="map"', '{"0":["variables.input.archive"]}'),
      part('name="0"; filename="fuzz.zip"', archive),
      Buffer.from(`${line}--\r\n`),
    ]);
    const headers = { ...authorized, "content-type": `multipart/form-data; boundary=${line.slice(2)}` };
    input = { method: "POST", path: "/graphql", headers, body };
  } else {
    const variables = { input: { archiveBase64: archive.toString("base64"), archiveName: name } };
    const body = Buffer.from(JSON.stringify({ query: IMPORT, variables }));
    input = {
      method: "POST",
      path: "/graphql",
      headers: { ...authorized, "content-type": "application/json" },
      body,
    };
  }
  const made = asInput("package", input);
  return { ...made, text: `${made.text}\n${contents}` };
}
