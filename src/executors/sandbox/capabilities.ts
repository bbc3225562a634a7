/** What the launcher cannot do without, by the kernel's numbers. docker/compose.yaml says what each is for. */
const NEEDED: Readonly<Record<string, number>> = {
  CHOWN: 0,
  DAC_OVERRIDE: 1,
  FOWNER: 3,
  KILL: 5,
  SETGID: 6,
  SETUID: 7,
  SYS_ADMIN: 21,
};

const SETPCAP = 8;

/** Pure: which of the capabilities that the sandbox needs a process lacks, by its /proc/PID/status. */
export function missingCapabilities(status: string): string[] {
  return Object.entries(NEEDED)
    .filter(([, bit]) => !has(status, bit))
    .map(([name]) => name);
}

/** Whether the process may drop capabilities from its bounding set. */
export const canDropFromBoundingSet = (status: string): boolean => has(status, SETPCAP);

function has(status: string, bit: number): boolean {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0"}`);
  return ((effective >> BigInt(bit)) & 1n) === 1n;
}
