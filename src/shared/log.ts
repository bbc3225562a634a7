import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

/** JSON lines on stderr; `submission` is the field that ties a line to a submission. */
export function createLog(part: string, level: string, destination?: DestinationStream): Log {
  return pino(
    { name: part, level, base: { part, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    destination ?? pino.destination({ dest: 2, sync: true }),
  );
}
