/**
 * The longest string, in bytes, that JavaScript reads faster than a call into the Buffer's native
 * code.
 */
const longest = 24;

const { fromCharCode } = String;

/** Returns the string of these bytes if it is short and ASCII. The bytes must exist. */
export function shortText(bytes: Uint8Array, start: number, length: number): string | undefined {
  if (length > longest) return undefined;
  let text = "";
  let at = start;
  let left = length;
  for (; left >= 8; at += 8, left -= 8) {
    const one = byteAt(bytes, at);
    const two = byteAt(bytes, at + 1);
    const three = byteAt(bytes, at + 2);
    const four = byteAt(bytes, at + 3);
    const five = byteAt(bytes, at + 4);
    const six = byteAt(bytes, at + 5);
    const seven = byteAt(bytes, at + 6);
    const eight = byteAt(bytes, at + 7);
    if ((one | two | three | four | five | six | seven | eight) > 0x7f) return undefined;
    text += fromCharCode(one, two, three, four, five, six, seven, eight);
  }
  for (; left >= 3; at += 3, left -= 3) {
    const one = byteAt(bytes, at);
    const two = byteAt(bytes, at + 1);
    const three = byteAt(bytes, at + 2);
    if ((one | two | three) > 0x7f) return undefined;
    text += fromCharCode(one, two, three);
  }
  for (; left > 0; at++, left--) {
    const one = byteAt(bytes, at);
    if (one > 0x7f) return undefined;
    text += fromCharCode(one);
  }
  return text;
}

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] as number; // The caller's bytes reach so far.
}
