import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";

/**
 * GraphiQL without another host: the page and its files come from here. The bundle is the one inside
 * @graphql-yoga/render-graphiql, which would put its 9 MB into every page; taken apart it is cached by the browser
 * and fits a policy without inline scripts.
 */

const OPERATIONS = new URL("../../../schema/operations/", import.meta.url);
const START = new URL("./graphiql/start.js", import.meta.url);

interface Asset {
  readonly type: string;
  readonly body: Buffer;
  readonly packed: Buffer;
  readonly etag: string;
}

const compress = promisify(brotliCompress);

async function asset(type: string, content: string | Buffer): Promise<Asset> {
  const body = Buffer.from(content);
  const packed = await compress(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } });
  const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`;
  return { type, body, packed, etag };
}

interface Bundle {
  readonly css: string;
  readonly js: string;
  readonly favicon: string;
  readonly editorWorkerService: string;
  readonly graphqlWorker: string;
  readonly jsonWorker: string;
}

const JAVASCRIPT = "text/javascript; charset=utf-8";

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Docket · GraphiQL</title>
    <link rel="icon" href="graphql/assets/favicon.svg">
    <link rel="stylesheet" href="graphql/assets/graphiql.css">
  </head>
  <body id="body" class="no-focus-outline">
    <noscript>GraphiQL needs JavaScript.</noscript>
    <div id="root"></div>
    <script src="graphql/assets/graphiql.js"></script>
    <script type="module" src="graphql/assets/start.js"></script>
  </body>
</html>
`;

const FAVICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect x="5" y="3" width="22" height="26" rx="3" fill="#1f6feb"/><path d="M10 10h12M10 15h12" stroke="#fff" stroke-width="2" stroke-linecap="round"/><path d="m10 22 3 3 7-6" stroke="#fff" stroke-width="2.5" fill="none" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** Ready-made operations in the order of their file names: what the first visit shows as tabs. */
async function operations(): Promise<{ query: string; variables?: string }[]> {
  const names = (await readdir(OPERATIONS)).filter((name) => name.endsWith(".graphql")).toSorted();
  return await Promise.all(
    names.map(async (name) => {
      const variables = await readFile(new URL(name.replace(/graphql$/, "json"), OPERATIONS), "utf8").catch(
        () => undefined,
      );
      const query = await readFile(new URL(name, OPERATIONS), "utf8");
      return { query, ...(variables === undefined ? {} : { variables }) };
    }),
  );
}

async function loadAssets(): Promise<Readonly<Record<string, Asset>>> {
  const entry = import.meta.resolve("@graphql-yoga/render-graphiql");
  const bundle = (await import(new URL("./graphiql.js", entry).href)) as Bundle;
  return {
    "": await asset("text/html; charset=utf-8", PAGE),
    "graphiql.js": await asset(JAVASCRIPT, bundle.js),
    "graphiql.css": await asset("text/css; charset=utf-8", bundle.css),
    "editorWorkerService.js": await asset(JAVASCRIPT, bundle.editorWorkerService),
    "graphql.js": await asset(JAVASCRIPT, bundle.graphqlWorker),
    "json.js": await asset(JAVASCRIPT, bundle.jsonWorker),
    "start.js": await asset(JAVASCRIPT, await readFile(START)),
    "favicon.svg": await asset("image/svg+xml", FAVICON),
    "operations.json": await asset("application/json", JSON.stringify(await operations())),
  };
}

/** Answers the page ("") or one of its files; false when there is no such file. Loaded at the first visit. */
export function createGraphiQL(): (
  request: IncomingMessage,
  response: ServerResponse,
  name: string,
) => Promise<boolean> {
  let assets: ReturnType<typeof loadAssets> | undefined;
  return async (request, response, name) => {
    assets ??= loadAssets();
    const loaded = await assets;
    const found = Object.hasOwn(loaded, name) ? loaded[name] : undefined;
    if (found === undefined) return false;
    const headers = { "Cache-Control": "no-cache", ETag: found.etag, Vary: "Accept-Encoding" };
    if (request.headers["if-none-match"] === found.etag) {
      response.writeHead(304, headers).end();
      return true;
    }
    const brotli = (request.headers["accept-encoding"] ?? "").includes("br");
    const body = brotli ? found.packed : found.body;
    response.writeHead(200, {
      ...headers,
      "Content-Type": found.type,
      ...(brotli ? { "Content-Encoding": "br" } : {}),
      "Content-Length": body.length,
    });
    response.end(body);
    return true;
  };
}
