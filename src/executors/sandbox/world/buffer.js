// As much of Node's Buffer as programs that read and write text need.

import { host, offer } from "./host.js";
import { decodeUtf8, encodeUtf8, isByteEncoding, isUtf8 } from "./utf8.js";

export class Buffer extends Uint8Array {
  static from(value, encoding) {
    if (typeof value === "string") {
      if (!isUtf8(encoding)) return host.unsupported(`Buffer.from(…, ${encoding})`);
      const bytes = encodeUtf8(value);
      return new Buffer(bytes.buffer, 0, bytes.length);
    }
    if (Array.isArray(value) || value instanceof Uint8Array) return super.from(value);
    return host.unsupported("Buffer.from");
  }
  static alloc(size, fill) {
    return fill === undefined || typeof fill === "number"
      ? new Buffer(size).fill(fill ?? 0)
      : host.unsupported("Buffer.alloc");
  }
  static allocUnsafe(size) {
    return new Buffer(size);
  }
  static isBuffer(value) {
    return value instanceof Buffer;
  }
  static byteLength(value) {
    return typeof value === "string" ? encodeUtf8(value).length : value.byteLength;
  }
  static concat(list) {
    const all = new Buffer(list.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of list) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  }
  toString(encoding, start = 0, end = this.length) {
    const part = start === 0 && end >= this.length ? this : this.subarray(start, end);
    if (isUtf8(encoding)) return decodeUtf8(part);
    if (!isByteEncoding(encoding)) return host.unsupported(`Buffer.toString(${encoding})`);
    let text = "";
    const mask = /^ascii$/i.test(encoding) ? 0x7f : 0xff;
    for (let i = 0; i < part.length; i++) text += String.fromCharCode(part[i] & mask);
    return text;
  }
  slice(start, end) {
    return this.subarray(start, end);
  }
}
export const bufferOffer = offer("Buffer", Buffer);
// Methods of Node's Buffer that are not here.
for (const name of [
  "toJSON",
  "equals",
  "compare",
  "write",
  "copy",
  "readBigInt64LE",
  "readBigInt64BE",
  "readBigUInt64LE",
  "readBigUInt64BE",
  "readDoubleLE",
  "readDoubleBE",
  "readFloatLE",
  "readFloatBE",
  "readInt8",
  "readInt16LE",
  "readInt16BE",
  "readInt32LE",
  "readInt32BE",
  "readIntLE",
  "readIntBE",
  "readUInt8",
  "readUint8",
  "readUInt16LE",
  "readUInt16BE",
  "readUInt32LE",
  "readUInt32BE",
  "readUIntLE",
  "readUIntBE",
  "writeInt8",
  "writeUInt8",
  "writeInt16LE",
  "writeInt16BE",
  "writeInt32LE",
  "writeInt32BE",
  "writeUInt16LE",
  "writeUInt16BE",
  "writeUInt32LE",
  "writeUInt32BE",
  "writeDoubleLE",
  "writeDoubleBE",
  "writeFloatLE",
  "writeFloatBE",
  "swap16",
  "swap32",
  "swap64",
  "utf8Slice",
  "latin1Slice",
  "asciiSlice",
  "hexSlice",
  "base64Slice",
  "ucs2Slice",
]) {
  Object.defineProperty(Buffer.prototype, name, {
    get: () => host.unsupported(`Buffer.prototype.${name}`),
    configurable: true,
  });
}
