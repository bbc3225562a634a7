import { randomBytes } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import { hashApiKey } from "../../src/server/auth.ts";
import { openStore } from "../../src/server/store/store.ts";
import { putProblem } from "../server/http/testserver.ts";
import { namespace } from "../support/namespace.ts";
import { type ServerProcess, startServerProcess } from "../support/serverprocess.ts";

/** The limits of one owner, shared by servers that know nothing of each other, over REST. */

const ns = namespace();
const UNFINISHED = 10;
let servers: readonly ServerProcess[];
const key = `test-${randomBytes(12).toString("hex")}`;

beforeAll(async () => {
  const limits = { DOCKET_LIMIT_OWNER_UNFINISHED: String(UNFINISHED) };
  servers = await Promise.all([startServerProcess(ns, limits), startServerProcess(ns, limits)]);
  const store = await openStore({ url: ns.mongodbUrl, database: ns.database });
  await putProblem(store, "sum");
  await store.apiKeys.put({
    _id: hashApiKey(key),
    owner: "loop",
    role: "participant",
    createdAt: new Date(),
  });
  await store.close();
});

const post = (server: ServerProcess | undefined, source: string): Promise<Response> =>
  fetch(`${server?.url ?? ""}/submissions`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ problem: "sum", language: "python", source }),
  });

it("200 at once over two server processes never pass a limit of 10, also after one of them was killed", async () => {
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, i) => post(servers[i % 2], `print(${i})`)),
  );
  expect(answers.filter((answer) => answer.status === 202)).toHaveLength(UNFINISHED);
  const refused = answers.filter((answer) => answer.status === 429);
  expect(refused).toHaveLength(200 - UNFINISHED);
  for (const answer of refused) {
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThanOrEqual(1);
    expect(await answer.json()).toMatchObject({ code: "TOO_MANY_UNFINISHED", limit: UNFINISHED });
  }
  servers[0]?.kill("SIGKILL");
  await servers[0]?.exited;
  const after = await Promise.all(Array.from({ length: 20 }, (_, i) => post(servers[1], `print(${i}, 2)`)));
  expect(after.every((answer) => answer.status === 429)).toBe(true);
});
