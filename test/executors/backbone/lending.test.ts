import { expect, test } from "vitest";
import { createLending } from "../../../src/executors/backbone/lending.ts";

test("the last free slot is lent first, none twice, and none when all are lent", () => {
  const lending = createLending();
  expect([1, 2, 3].map(() => lending.lend([0, 2])?.slot)).toEqual([2, 0, undefined]);
});

test("a slot that a job takes is called back, and is the job's once it is given back", async () => {
  const lending = createLending();
  const lent = lending.lend([1]);
  let ready = false;
  const waiting = lending.ready(1).then(() => (ready = true));
  expect(lent?.signal.aborted).toBe(true);
  await new Promise((resolve) => setImmediate(resolve));
  expect(ready).toBe(false);
  // Its job has it meanwhile, so it is not free.
  expect(lending.lend([])).toBeUndefined();
  lent?.giveBack();
  await waiting;
  expect(lending.lend([1])?.slot).toBe(1);
});

test("a slot that nobody has is ready, and giving back twice does nothing", async () => {
  const lending = createLending();
  await lending.ready(0);
  const lent = lending.lend([0]);
  lent?.giveBack();
  const again = lending.lend([0]);
  lent?.giveBack();
  expect(again?.signal.aborted).toBe(false);
  expect(lending.lend([0])).toBeUndefined();
});
