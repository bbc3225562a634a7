import { readFile } from "node:fs/promises";
import { takeName, type NameLock } from "./namelock.ts";

/** A range of user ids (uid = gid) that no other stack on this machine uses while it is held. */
export interface UidBlock {
  /** mongod, nats-server and the server. */
  readonly service: number;
  executor(index: number): number;
  /** First of an executor's slot users, given how many slots come before it. */
  slotBase(slotsBefore: number): number;
  release(): void;
}

export const EXECUTORS_MAX = 63;
export const SLOTS_MAX = 192;
const BLOCK = 1 + EXECUTORS_MAX + SLOTS_MAX;
const BLOCKS = 100;
/** Between Debian's last own id and the first of subordinate ids: nobody's. */
const FIRST = 66_000;
/** In a user namespace that maps only 16 bits: the upper end of ordinary users. */
const FIRST_SMALL = 34_000;

/** Takes the first free block, trying `preferred` (its service uid) first: so files keep their owner. */
export async function takeUidBlock(preferred: number | undefined): Promise<UidBlock> {
  const first = (await mapped(FIRST + BLOCK * BLOCKS)) ? FIRST : FIRST_SMALL;
  const bases = Array.from({ length: BLOCKS }, (_, k) => first + k * BLOCK);
  if (preferred !== undefined && bases.includes(preferred)) bases.unshift(preferred);
  for (const base of bases) {
    const lock = await takeName(`docket-uids-${base}`);
    if (lock !== undefined) return block(base, lock);
  }
  throw new Error(`All ${BLOCKS} blocks of user ids are taken: too many stacks run on this machine`);
}

const block = (base: number, lock: NameLock): UidBlock => ({
  service: base,
  executor: (index) => base + 1 + index,
  slotBase: (slotsBefore) => base + 1 + EXECUTORS_MAX + slotsBefore,
  release: () => lock.release(),
});

/** Does this user namespace know the id? */
async function mapped(uid: number): Promise<boolean> {
  const map = await readFile("/proc/self/uid_map", "utf8");
  return map
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .some(([inside = 0, , count = 0]) => uid >= inside && uid < inside + count);
}
