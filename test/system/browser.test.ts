import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort, startTestServer, type TestServer } from "../server/http/testserver.ts";
import { namespace } from "../support/namespace.ts";

const CHROMIUM = "/usr/bin/chromium";
// Without these it looks for hosts of its maker at every start.
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

const space = namespace();
let server: TestServer;
let browser: Browser;
let key: string;

beforeAll(async () => {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is missing: apt-get install chromium`);
  server = await startTestServer(space);
  key = await server.key("alice");
  await server.problem("hello");
  browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
});
afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Until the editors hold the first operation and its variables. */
async function untilDrawn(page: Page): Promise<void> {
  await page.locator(".graphiql-query-editor .view-lines", { hasText: "submitSubmission" }).waitFor();
  await page.locator(".graphiql-editor-tools ~ section .view-lines", { hasText: "python" }).first().waitFor();
}

/** A page with a record of what went wrong on it and of every address that it asked for. */
async function openPage(address: string) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 860 } });
  const page = await context.newPage();
  const troubles: string[] = [];
  const asked: string[] = [];
  page.on("pageerror", (error) => troubles.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") troubles.push(message.text());
  });
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(address);
  await untilDrawn(page);
  return { page, troubles, asked };
}

/** The text of the answer pane; its editor draws only what can be seen, so it is asked for its model. */
const answerOf = (page: Page): Promise<string> =>
  page.locator(".graphiql-response").evaluate((pane) => pane.textContent.replaceAll("\u00A0", " "));

async function run(page: Page): Promise<void> {
  await page.locator(".graphiql-execute-button").click();
}

// A browser on a loaded machine takes its time.
describe("GraphiQL in a browser", { timeout: 90_000 }, () => {
  it("submits with the token of the printed address and streams the verdict, with nothing from elsewhere", async () => {
    const { page, troubles, asked } = await openPage(`${server.url}/graphql#token=${key}`);

    // The token is out of the address bar, was never sent with the page, and stands in the header editor.
    expect(page.url()).toBe(`${server.url}/graphql`);
    expect(asked.some((url) => url.includes(key))).toBe(false);
    await page.getByRole("button", { name: "Headers" }).click();
    await page.getByText(`Bearer ${key}`).waitFor();
    await page.getByRole("button", { name: "Variables" }).click();

    // The ready-made operations are the tabs.
    const tabs = await page.locator(".graphiql-tab").allInnerTexts();
    expect(tabs.map((text) => text.trim())).toEqual(["Submit", "Watch", "Submissions", "Overview"]);

    await run(page);
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain('"replayed": false');
    const id = /"id": "([0-9a-z]{26})"/.exec(await answerOf(page))?.[1] ?? "";

    // Tabs can be dragged, and the first click may only take hold of one.
    const watch = page.locator(".graphiql-tab", { hasText: "Watch" });
    await expect
      .poll(async () => {
        await watch.locator(".graphiql-tab-button").click();
        return await watch.getAttribute("aria-selected");
      })
      .toBe("true");
    await page.getByText("PASTE_THE_ID_HERE").dblclick();
    await page.keyboard.insertText(id);
    await run(page);
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain('"state": "QUEUED"');

    const held = await server.holder.take("python");
    expect(held.job.submission).toBe(id);
    await held.started();
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain('"state": "RUNNING"');
    await held.finished({
      testsTotal: 1,
      tests: [{ name: "secret/1", verdict: "AC", cpuMs: 12, wallMs: 15, memoryKiB: 9_000 }],
      verdict: "AC",
      cpuMs: 12,
      memoryKiB: 9_000,
    });
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain('"verdict": "AC"');
    // Completed by the server: the stop button is a play button again.
    await page.locator('.graphiql-execute-button[aria-label^="Execute"]').waitFor();

    expect(troubles).toEqual([]);
    expect(asked.filter((url) => !url.startsWith(server.url) && !url.startsWith("blob:"))).toEqual([]);
    await page.context().close();
  });

  it("keeps the token over a reload of the tab, and out of what is kept on disk", async () => {
    const { page } = await openPage(`${server.url}/graphql#token=${key}`);
    await page.reload();
    await untilDrawn(page);
    await run(page);
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain("replayed");
    expect(await page.evaluate("JSON.stringify(localStorage)")).not.toContain(key);
    await page.context().close();
  });

  it("is readable without a token, and says what is missing when an operation runs", async () => {
    const { page, troubles } = await openPage(`${server.url}/graphql`);
    await run(page);
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain("Authorization: Bearer");
    // The browser itself notes the 401.
    expect(troubles.filter((trouble) => !trouble.includes("401"))).toEqual([]);
    await page.context().close();
  });

  it("holds no token in the page as it is served", async () => {
    const html = await (await fetch(`${server.url}/graphql`, { headers: { accept: "text/html" } })).text();
    expect(html).toContain("<title>Docket");
    expect(html).not.toMatch(/bearer|token/i);
  });
});

describe("a page of another origin", { timeout: 90_000 }, () => {
  it("can neither read nor send anything, over HTTP or WebSocket", async () => {
    // Without a policy of its own, which would stop the page before our server does.
    const other = createServer((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html>");
    });
    const port = await freePort();
    await new Promise<void>((resolve) => void other.listen(port, "127.0.0.1", resolve));
    try {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`http://127.0.0.1:${port}/`);
      const outcome = await page.evaluate(
        async ({ target, token }) => {
          const send = async (init: RequestInit): Promise<string> => {
            try {
              return `${(await fetch(`${target}/graphql`, init)).status}`;
            } catch {
              return "refused";
            }
          };
          const body = JSON.stringify({ query: "{ __typename }" });
          const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
          const opening = new Promise<string>((resolve) => {
            const socket = new WebSocket(`${target.replace("http", "ws")}/graphql`, "graphql-transport-ws");
            socket.addEventListener("open", () => resolve("open"));
            socket.addEventListener("error", () => resolve("refused"));
          });
          return {
            json: await send({ method: "POST", headers, body }),
            simple: await send({ method: "POST", body: new URLSearchParams({ query: "{ __typename }" }) }),
            opaque: await send({ method: "POST", mode: "no-cors", body: "query=%7B__typename%7D" }),
            socket: await opening,
          };
        },
        { target: server.url, token: key },
      );
      expect(outcome.json).toBe("refused");
      expect(outcome.simple).toBe("refused");
      expect(outcome.opaque).toBe("refused");
      expect(outcome.socket).toBe("refused");
      // The browser let the simple ones out; the door refused them.
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      expect(metrics).toContain(
        'docket_http_request_seconds_count{route="graphql",method="POST",status="4xx"}',
      );
      await context.close();
    } finally {
      other.close();
      other.closeAllConnections();
    }
  });
});
