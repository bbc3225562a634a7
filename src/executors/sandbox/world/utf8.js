// UTF-8 by the rules of the Encoding Standard: V8 alone, without Node, has none.

export const decodeUtf8 = (bytes) => {
  let text = "";
  let from = 0;
  while (from < bytes.length) {
    let to = from;
    const end = Math.min(bytes.length, from + 8192);
    while (to < end && bytes[to] < 0x80) to++;
    if (to > from) text += String.fromCharCode.apply(null, bytes.subarray(from, to));
    from = to;
    if (from < end) {
      // One character by the rules of the Encoding Standard: a broken sequence is U+FFFD for its longest valid part.
      const lead = bytes[from++];
      let need = 0;
      let low = 0x80;
      let high = 0xbf;
      let point = 0;
      if (lead >= 0xc2 && lead <= 0xdf) [need, point] = [1, lead & 0x1f];
      else if (lead >= 0xe0 && lead <= 0xef) {
        if (lead === 0xe0) low = 0xa0;
        if (lead === 0xed) high = 0x9f;
        [need, point] = [2, lead & 0xf];
      } else if (lead >= 0xf0 && lead <= 0xf4) {
        if (lead === 0xf0) low = 0x90;
        if (lead === 0xf4) high = 0x8f;
        [need, point] = [3, lead & 0x7];
      } else point = 0xfffd;
      for (; need > 0; need--) {
        const next = from < bytes.length ? bytes[from] : -1;
        if (next < low || next > high) {
          point = 0xfffd;
          break;
        }
        [low, high] = [0x80, 0xbf];
        point = (point << 6) | (next & 0x3f);
        from++;
      }
      text += String.fromCodePoint(point);
    }
  }
  return text;
};
export const encodeUtf8 = (text) => {
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    let point = text.codePointAt(i);
    if (point > 0xffff) i++;
    else if (point >= 0xd800 && point <= 0xdfff) point = 0xfffd;
    if (point < 0x80) bytes[length++] = point;
    else if (point < 0x800) {
      bytes[length++] = 0xc0 | (point >> 6);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else if (point < 0x10000) {
      bytes[length++] = 0xe0 | (point >> 12);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
    } else {
      bytes[length++] = 0xf0 | (point >> 18);
      bytes[length++] = 0x80 | ((point >> 12) & 0x3f);
      bytes[length++] = 0x80 | ((point >> 6) & 0x3f);
      bytes[length++] = 0x80 | (point & 0x3f);
    }
  }
  return bytes.slice(0, length);
};
export const isUtf8 = (encoding) =>
  encoding === undefined ||
  encoding === null ||
  /^utf-?8$/i.test(typeof encoding === "string" ? encoding : "?");
export const isByteEncoding = (encoding) => /^(ascii|latin1|binary)$/i.test(encoding);
