import type { KeyFailures, StoredRecord } from "cacheme/driver";
import { expiry, secondsLeft, ttlSeconds } from "./exptime.js";
import { itemData, leaseLength } from "./record.js";
import type { Server } from "./server.js";
import { TooLarge } from "./trouble.js";

/** The bytes from which a value goes to the socket uncopied: a copy would cost more than a write. */
const copiedBelow = 16_384;

/** Meta commands (memcached's `doc/protocol.txt`) that are sent together, with the bytes of writes. */
export class Batch {
  /** The commands so far. Each has one answer, in order. */
  commands = 0;
  /** The parts before {@link #text}. Empty while there are no bytes. */
  readonly #parts: (string | Uint8Array)[] = [];
  #text = "";

  /** @param line without its end, in ASCII */
  command(line: string): void {
    this.commands++;
    this.#text += `${line}\r\n`;
  }

  /** Adds an `ms`, which stores the pieces one after another. */
  store(name: string, flags: string, pieces: readonly Uint8Array[]): void {
    let length = 0;
    for (const piece of pieces) length += piece.length;
    this.commands++;
    this.#parts.push(`${this.#text}ms ${name} ${length} ${flags}\r\n`, ...pieces);
    this.#text = "\r\n";
  }

  /** Returns what to write to the socket: bytes, and strings in latin1. */
  chunks(): readonly (string | Uint8Array)[] {
    return this.#parts.length === 0 ? [this.#text] : joined([...this.#parts, this.#text]);
  }
}

/** Joins small parts into one buffer, because a socket's write costs more than a copy. */
function joined(parts: readonly (string | Uint8Array)[]): readonly Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let start = 0;
  let length = 0;
  for (let index = 0; index <= parts.length; index++) {
    const part = parts[index];
    if (typeof part === "string" || (part !== undefined && part.length < copiedBelow)) {
      length += part.length;
      continue;
    }
    if (length > 0) chunks.push(copied(parts.slice(start, index), length));
    if (part !== undefined) chunks.push(part);
    start = index + 1;
    length = 0;
  }
  return chunks;
}

function copied(parts: readonly (string | Uint8Array)[], length: number): Uint8Array {
  const whole = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") whole.write(part, at, "latin1");
    else whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The bytes of an item beside its name and its data: 48 bytes, 8 for its CAS, 4 for its flags. */
const itemOverhead = 60;

/**
 * Adds a record's `ms` to a batch, or the reason why it cannot be stored to the failures.
 *
 * @param condition further flags, such as the CAS that the item must have
 * @returns whether it was added
 */
export function storeRecord(
  batch: Batch,
  server: Server,
  name: string,
  { key, bytes, ttl, freshFor }: StoredRecord,
  failures: KeyFailures,
  condition = "",
): boolean {
  const { longestItem } = server.facts;
  const seconds = ttlSeconds(ttl);
  const end = expiry(seconds, server);
  const left = secondsLeft(end, seconds, server);
  // Seconds before the item's end, 0 if it is fresh to its end.
  const staleAt = freshFor === undefined ? 0 : Math.max(0, left - Math.max(0, Math.ceil(freshFor / 1000)));
  const { flags, pieces, length } = itemData(name, key, bytes, { staleAt });
  // The end of the name, the end of the data, and room for a lease beside the bytes.
  const size = itemOverhead + name.length + 1 + length + 2 + leaseLength;
  if (size > longestItem) {
    failures.add(key, new TooLarge(bytes.length, longestItem - (size - bytes.length), longestItem));
    return false;
  }
  batch.store(name, `T${end} F${flags}${condition}`, pieces);
  return true;
}
