import { describe, expect, it } from "vitest";
import { createAuthenticate, hashApiKey } from "../../src/server/auth.ts";
import type { ApiKeyDocument } from "../../src/server/store/documents.ts";

function keeper(keys: Record<string, Partial<ApiKeyDocument>>) {
  const stored = new Map(
    Object.entries(keys).map(([key, more]) => [
      hashApiKey(key),
      { _id: hashApiKey(key), owner: "alice", role: "participant", createdAt: new Date(0), ...more } as const,
    ]),
  );
  const time = { now: 1_000_000 };
  let lookUps = 0;
  const authenticate = createAuthenticate({
    evicted: () => undefined,
    findKey: (hash) => {
      lookUps += 1;
      return Promise.resolve(stored.get(hash));
    },
    clock: { now: () => time.now },
  });
  return { authenticate, stored, time, lookUps: () => lookUps };
}

describe("authenticate", () => {
  it("knows the viewer of a right key, and asks once for many requests", async () => {
    const { authenticate, lookUps } = keeper({ secret: { owner: "bob", role: "jury" } });
    const answers = await Promise.all(Array.from({ length: 50 }, () => authenticate("Bearer secret")));
    expect(answers).toEqual(
      Array.from({ length: 50 }, () => ({ type: "viewer", viewer: { owner: "bob", role: "jury" } })),
    );
    expect(lookUps()).toBe(1);
  });

  it.each(["Bearer", "Bearer ", "secret", "Basic secret", "Bearer a b", `Bearer ${"x".repeat(300)}`])(
    "takes %j for wrong without a look-up",
    async (header) => {
      const { authenticate, lookUps } = keeper({ secret: {} });
      expect(await authenticate(header)).toEqual({ type: "wrong" });
      expect(lookUps()).toBe(0);
    },
  );

  it("tells a missing header from a wrong key", async () => {
    const { authenticate } = keeper({});
    expect(await authenticate(undefined)).toEqual({ type: "missing" });
    expect(await authenticate("Bearer other")).toEqual({ type: "wrong" });
  });

  it("lets a revoked key go within seconds", async () => {
    const { authenticate, stored, time } = keeper({ secret: {} });
    expect((await authenticate("Bearer secret")).type).toBe("viewer");
    stored.clear();
    time.now += 3_001;
    expect((await authenticate("Bearer secret")).type).toBe("wrong");
  });

  it("lets an expired key go at once", async () => {
    const { authenticate, time } = keeper({ secret: { expiresAt: new Date(1_000_500) } });
    expect((await authenticate("Bearer secret")).type).toBe("viewer");
    time.now = 1_000_500;
    expect((await authenticate("Bearer secret")).type).toBe("wrong");
  });

  it("does not remember a failed look-up", async () => {
    let fails = true;
    const authenticate = createAuthenticate({
      evicted: () => undefined,
      findKey: (hash) =>
        fails
          ? Promise.reject(new Error("down"))
          : Promise.resolve({ _id: hash, owner: "alice", role: "admin", createdAt: new Date(0) }),
      clock: { now: () => 0 },
    });
    await expect(authenticate("Bearer secret")).rejects.toThrow("down");
    fails = false;
    expect((await authenticate("Bearer secret")).type).toBe("viewer");
  });

  it("believes what it knew for a minute while look-ups fail, and no longer", async () => {
    const time = { now: 0 };
    let fails = false;
    let lookUps = 0;
    const authenticate = createAuthenticate({
      evicted: () => undefined,
      findKey: (hash) => {
        lookUps += 1;
        return fails
          ? Promise.reject(new Error("down"))
          : Promise.resolve({ _id: hash, owner: "alice", role: "jury", createdAt: new Date(0) });
      },
      clock: { now: () => time.now },
    });
    await authenticate("Bearer secret");
    fails = true;
    for (time.now = 3_001; time.now < 60_000; time.now += 3_001) {
      expect((await authenticate("Bearer secret")).type).toBe("viewer");
    }
    expect(lookUps).toBeGreaterThan(10);
    // The last answer, believed at 57 s, is remembered for 3 s like every other.
    time.now = 60_000 + 3_001;
    await expect(authenticate("Bearer secret")).rejects.toThrow("down");
    // Nothing is believed of a key that was never seen.
    await expect(authenticate("Bearer other")).rejects.toThrow("down");
    fails = false;
    expect((await authenticate("Bearer secret")).type).toBe("viewer");
  });

  it("remembers a bounded number of keys", async () => {
    const { authenticate, lookUps } = keeper({ secret: {} });
    await authenticate("Bearer secret");
    for (let i = 0; i < 10_000; i++) await authenticate(`Bearer made-up-${i}`);
    const before = lookUps();
    await authenticate("Bearer secret");
    expect(lookUps()).toBe(before + 1);
  });
});
