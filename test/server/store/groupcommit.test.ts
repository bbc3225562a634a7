import { describe, expect, it } from "vitest";
import { groupCommit } from "../../../src/server/store/groupcommit.ts";

/** A flush whose writes end when told to. */
function slowFlush() {
  const writes: { items: readonly number[]; end: () => void }[] = [];
  const commit = groupCommit<number, string>({ items: 4, writesAtOnce: 1 }, async (items) => {
    await new Promise<void>((resolve) => writes.push({ items, end: resolve }));
    return items.map((item) => (item < 0 ? { error: new Error(`no ${item}`) } : { value: `done ${item}` }));
  });
  return { writes, commit };
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

describe("a group commit", () => {
  it("gathers what comes while a write is under way, in order, up to its size", async () => {
    const { writes, commit } = slowFlush();
    const all = [commit(0)];
    await turn();
    for (let i = 1; i <= 6; i++) all.push(commit(i));
    await turn();
    expect(writes.map((write) => write.items)).toEqual([[0]]);
    writes[0]?.end();
    await turn();
    expect(writes[1]?.items).toEqual([1, 2, 3, 4]);
    writes[1]?.end();
    await turn();
    writes[2]?.end();
    expect(await Promise.all(all)).toEqual([0, 1, 2, 3, 4, 5, 6].map((i) => `done ${i}`));
  });

  it("gives each caller its own outcome, and all of a group the failure of the write", async () => {
    const { writes, commit } = slowFlush();
    const outcomes = Promise.allSettled([commit(1), commit(-1)]);
    await turn();
    writes[0]?.end();
    expect((await outcomes).map((one) => one.status)).toEqual(["fulfilled", "rejected"]);
    const failing = groupCommit<number, string>({ items: 9, writesAtOnce: 2 }, () =>
      Promise.reject(new Error("gone")),
    );
    const both = await Promise.allSettled([failing(1), failing(2)]);
    expect(both.map((one) => one.status)).toEqual(["rejected", "rejected"]);
    await expect(failing(3)).rejects.toThrow("gone");
  });

  it("does not let a flush lose an item silently", async () => {
    const commit = groupCommit<number, string>({ items: 9, writesAtOnce: 1 }, async () => [{ value: "one" }]);
    const [, second] = await Promise.allSettled([commit(1), commit(2)]);
    expect(second).toMatchObject({ status: "rejected" });
  });
});
