import { crc32 } from "node:zlib";

/*
 * A snapshot is a row of frames. All numbers are big-endian.
 *
 * 0 uint32 length of the payload; 4 uint32 CRC-32 of the payload; 8 payload, whose first byte is its
 * kind.
 *
 * The frames are: one header; classes and entries; one end; then the changes since the file was
 * saved. A process adds a change before the operation that made it resolves.
 */

/** The kinds of frames. */
export const frame = {
  header: 1,
  owner: 2,
  entries: 3,
  end: 4,
  /** An entry whose value was changed or removed since. */
  changedEntry: 5,
  /** A class whose entries were removed since. */
  changedOwner: 6,
  /** A tag that was invalidated since. */
  changedTag: 7,
  /** A process that uses the file. */
  user: 8,
} as const;

/** The bytes before the payload. */
const headerLength = 8;

/** Returns a frame with its payload. */
export function frameOf(kind: number, ...parts: readonly Uint8Array[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  const bytes = Buffer.allocUnsafe(headerLength + length);
  bytes.writeUInt32BE(length, 0);
  bytes[headerLength] = kind;
  let end = headerLength + 1;
  for (const part of parts) {
    bytes.set(part, end);
    end += part.length;
  }
  bytes.writeUInt32BE(crc32(bytes.subarray(headerLength)), 4);
  return bytes;
}

/** A frame that was read. */
export interface ReadFrame {
  readonly kind: number;
  readonly payload: Buffer;
}

/** Reads frames one after the other. */
export class FrameReader {
  readonly #bytes: Buffer;
  #place = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** The number of bytes that were read as whole frames. */
  get place(): number {
    return this.#place;
  }

  /** Returns the next frame; `undefined` at the end, and where the bytes are torn or changed. */
  next(): ReadFrame | undefined {
    const bytes = this.#bytes;
    const start = this.#place + headerLength;
    if (start + 1 > bytes.length) return undefined;
    const end = start + bytes.readUInt32BE(this.#place);
    if (end > bytes.length || end === start) return undefined;
    if (crc32(bytes.subarray(start, end)) !== bytes.readUInt32BE(this.#place + 4)) return undefined;
    this.#place = end;
    return { kind: bytes[start] ?? 0, payload: bytes.subarray(start + 1, end) };
  }
}

/** Appends numbers and texts to a payload. */
export class PayloadWriter {
  #parts: Buffer[] = [];
  length = 0;

  number(value: number): this {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeDoubleBE(value);
    return this.#push(bytes);
  }

  /** Appends bytes with their length; `undefined` is not the same as none. */
  bytes(value: Uint8Array | undefined): this {
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(value === undefined ? absent : value.length);
    this.#push(length);
    if (value !== undefined) this.#push(Buffer.from(value.buffer, value.byteOffset, value.byteLength));
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  /** Returns what was appended, and begins again. */
  take(): Buffer {
    const whole = Buffer.concat(this.#parts, this.length);
    this.#parts = [];
    this.length = 0;
    return whole;
  }

  #push(bytes: Buffer): this {
    this.#parts.push(bytes);
    this.length += bytes.length;
    return this;
  }
}

const absent = 0xffffffff;

/** Reads what a {@link PayloadWriter} has appended. */
export class PayloadReader {
  readonly #payload: Buffer;
  #place = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  get isAtEnd(): boolean {
    return this.#place >= this.#payload.length;
  }

  /** @throws RangeError if the payload is too short */
  number(): number {
    const value = this.#payload.readDoubleBE(this.#place);
    this.#place += 8;
    return value;
  }

  /** @throws RangeError if the payload is too short */
  bytes(): Buffer | undefined {
    const length = this.#payload.readUInt32BE(this.#place);
    this.#place += 4;
    if (length === absent) return undefined;
    if (this.#place + length > this.#payload.length) throw new RangeError("The payload is too short.");
    this.#place += length;
    return this.#payload.subarray(this.#place - length, this.#place);
  }

  /** @throws RangeError if the payload is too short */
  text(): string {
    return this.bytes()?.toString() ?? "";
  }
}
