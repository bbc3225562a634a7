import { host } from "./host.js";
import { decodeUtf8, encodeUtf8, isUtf8 } from "./utf8.js";

export class TextEncoder {
  get encoding() {
    return "utf-8";
  }
  encode(text) {
    return encodeUtf8(text === undefined ? "" : String(text));
  }
  encodeInto() {
    return host.unsupported("TextEncoder.encodeInto");
  }
}
export class TextDecoder {
  #ignoreBom;
  constructor(label = "utf-8", options = {}) {
    if (!isUtf8(label) || options.fatal) host.unsupported(`TextDecoder(${label})`);
    this.#ignoreBom = options.ignoreBOM === true;
  }
  get encoding() {
    return "utf-8";
  }
  decode(bytes, options) {
    if (options?.stream) return host.unsupported("TextDecoder.decode with stream");
    if (bytes === undefined) return "";
    const view = ArrayBuffer.isView(bytes)
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : new Uint8Array(bytes);
    const text = decodeUtf8(view);
    return !this.#ignoreBom && text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
  }
}
