import { MongoBulkWriteError, MongoError, MongoNetworkError, MongoServerError } from "mongodb";
import { describe, expect, it } from "vitest";
import { guarded, StoreUnavailable } from "../../../src/server/store/unavailable.ts";

const errno = (code: string): Error => Object.assign(new Error(`write ${code}`), { code });
const bulk = (error: Error): Error => Reflect.construct(MongoBulkWriteError, [error, {}]) as Error;

describe("what means that the database is away", () => {
  it.each([
    ["a lost connection", new MongoNetworkError("lost")],
    ["a broken pipe", errno("EPIPE")],
    ["a broken pipe in a bulk write", bulk(errno("EPIPE"))],
    ["a lost connection in a bulk write", bulk(new MongoNetworkError("lost"))],
    ["a step-down", new MongoServerError({ message: "stepped down", code: 189 })],
    [
      "a write that a majority did not confirm in time",
      new MongoServerError({ message: "waiting", code: 64 }),
    ],
  ])("is %s", async (_, error) => {
    await expect(guarded(() => Promise.reject(error))).rejects.toThrow(StoreUnavailable);
  });

  it.each([
    ["a mistake of ours", new TypeError("x is undefined")],
    ["a refused document", new MongoServerError({ message: "too deep", code: 15 })],
    ["a driver's complaint", new MongoError("bad option")],
    ["a refused document in a bulk write", bulk(new MongoServerError({ message: "too deep", code: 15 }))],
  ])("is not %s", async (_, error) => {
    await expect(guarded(() => Promise.reject(error))).rejects.toBe(error);
  });
});
