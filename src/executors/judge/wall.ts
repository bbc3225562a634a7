/**
 * CPU time decides; the wall limit is there to catch sleepers. Generous, since on a loaded machine a program may wait
 * for its CPU longer than it uses it. The server's deadline for a job (judgework.ts) allows for more.
 */
export const wallMsFor = (cpuMs: number): number => cpuMs * 3 + 2_000;
