/** What the isolate child says: "R" ready, "1" and "2" output, "X" the end as JSON. */
export interface Frame {
  readonly type: string;
  readonly body: Buffer;
}

const HEAD_BYTES = 5;
/** The child sends some 64 KiB at a time; a program in control of it could claim anything. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/**
 * Takes bytes as they come and gives whole frames to `onFrame`. The sender is not trusted: after a frame that cannot
 * be, `onBroken` is called once and the rest is ignored.
 */
export function readFrames(onFrame: (frame: Frame) => void, onBroken: () => void): (chunk: Buffer) => void {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let needed = HEAD_BYTES;
  let broken = false;
  return (chunk) => {
    if (broken) return;
    rest.push(chunk);
    restBytes += chunk.length;
    if (restBytes < needed) return;
    let bytes = rest.length === 1 ? chunk : Buffer.concat(rest);
    needed = HEAD_BYTES;
    while (bytes.length >= HEAD_BYTES) {
      const length = bytes.readUInt32LE(1);
      if (length > MAX_FRAME_BYTES || !"R12X".includes(String.fromCharCode(bytes[0] ?? 0))) {
        broken = true;
        onBroken();
        return;
      }
      if (bytes.length < HEAD_BYTES + length) {
        needed = HEAD_BYTES + length;
        break;
      }
      onFrame({
        type: String.fromCharCode(bytes[0] ?? 0),
        body: bytes.subarray(HEAD_BYTES, HEAD_BYTES + length),
      });
      bytes = bytes.subarray(HEAD_BYTES + length);
    }
    rest = [bytes];
    restBytes = bytes.length;
  };
}
