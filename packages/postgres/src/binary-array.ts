/**
 * Arrays in PostgreSQL's binary form. pg writes an array as text, its bytes as hexadecimal digits:
 * a write of 1,000 records then takes about twice as long. pg sends a Buffer unchanged and marks it
 * as binary.
 *
 * The form (`array_recv` in PostgreSQL's arrayfuncs.c), in big-endian numbers of 32 bits:
 * dimensions, whether there are nulls, the elements' type; how many elements, the first one's
 * index; then each element's length, -1 for null, and bytes.
 *
 * Each function returns `null` if no element is defined: beside other arrays, `unnest` fills it up
 * with nulls.
 */
export function textArray(texts: readonly (string | undefined)[]): Buffer | null {
  return asciiArray(texts) ?? binaryArray(textType, texts, (text) => Buffer.byteLength(text), writeText);
}

/**
 * Encodes all elements in one call, because two calls into the runtime for each short key cost more
 * than all the rest. Keys are nearly always ASCII: one string holds the lengths and the keys, one
 * byte a character.
 */
function asciiArray(texts: readonly (string | undefined)[]): Buffer | undefined {
  const together = texts.join("");
  if (Buffer.byteLength(together) !== together.length) return undefined;
  const start = Buffer.allocUnsafe(headLength);
  head(start, textType, texts.length, false);
  let array = start.toString("latin1");
  for (const text of texts) {
    if (text === undefined || text.length > 0xffff) return undefined;
    array += `\0\0${String.fromCharCode(text.length >> 8, text.length & 0xff)}${text}`;
  }
  return Buffer.from(array, "latin1");
}

/** {@link textArray} for bytes. */
export function byteaArray(values: readonly (Uint8Array | undefined)[]): Buffer | null {
  return binaryArray(17, values, (bytes) => bytes.length, writeBytes);
}

/** {@link textArray} for 16 bytes each. */
export function uuidArray(values: readonly (Uint8Array | undefined)[]): Buffer | null {
  return binaryArray(2950, values, () => 16, writeBytes);
}

/** {@link textArray} for double precision. */
export function numberArray(values: readonly (number | undefined)[]): Buffer | null {
  return binaryArray(
    701,
    values,
    () => 8,
    (target, value, offset) => target.writeDoubleBE(value, offset),
  );
}

/** {@link textArray} for boolean. */
export function booleanArray(values: readonly (boolean | undefined)[]): Buffer | null {
  return binaryArray(
    16,
    values,
    () => 1,
    (target, value, offset) => target.writeUInt8(value ? 1 : 0, offset),
  );
}

const headLength = 20;
const textType = 25;

/** Reads each element's length before it writes the first one: one allocation, one copy of each. */
function binaryArray<T>(
  type: number,
  values: readonly (T | undefined)[],
  lengthOf: (value: T) => number,
  write: (target: Buffer, value: T, offset: number) => void,
): Buffer | null {
  let total = headLength;
  let nulls = 0;
  for (const value of values) {
    total += 4;
    if (value === undefined) nulls++;
    else total += lengthOf(value);
  }
  if (nulls === values.length) return null;
  const array = Buffer.allocUnsafe(total);
  let at = head(array, type, values.length, nulls > 0);
  for (const value of values) {
    const length = value === undefined ? -1 : lengthOf(value);
    at = array.writeInt32BE(length, at);
    if (value === undefined) continue;
    write(array, value, at);
    at += length;
  }
  return array;
}

function head(array: Buffer, type: number, length: number, hasNulls: boolean): number {
  array.writeInt32BE(1, 0);
  array.writeInt32BE(hasNulls ? 1 : 0, 4);
  array.writeInt32BE(type, 8);
  array.writeInt32BE(length, 12);
  return array.writeInt32BE(1, 16);
}

function writeText(target: Buffer, text: string, offset: number): void {
  target.write(text, offset);
}

function writeBytes(target: Buffer, bytes: Uint8Array, offset: number): void {
  target.set(bytes, offset);
}
