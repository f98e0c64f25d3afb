/**
 * From byte offsets of a text's UTF-8 to the offsets of its UTF-16 that editors count in. An offset inside of a character
 * is its start, one behind the end is the end.
 */
export function utf16Offsets(text: string, wanted: number[]): number[] {
  const order = wanted.map((byte, index) => ({ byte, index })).sort((a, b) => a.byte - b.byte);
  const result = new Array<number>(wanted.length).fill(text.length);
  let byte = 0, unit = 0, next = 0;
  while (next < order.length && unit <= text.length) {
    const point = text.codePointAt(unit);
    const size = point === undefined ? Infinity : point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    while (next < order.length && order[next]!.byte < byte + size) { result[order[next]!.index] = unit; next += 1; }
    if (point === undefined) break;
    byte += size;
    unit += point > 0xffff ? 2 : 1;
  }
  return result;
}
