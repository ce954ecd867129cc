import { type Generation, generationText, type StoredRecord } from "cacheme/driver";

/**
 * What stands under a key: one document, whose `_id` is the key. Every moment in it but `cachemeSweepAt` was set by the server's
 * own clock (`$currentDate`), with the length that counts from it beside it. So one plain form of update, which every
 * server can do, stands on the server's clock: a filter adds moment and length, and compares with the server's `$$NOW`.
 */
export interface RecordDocument {
  readonly _id: string;
  /** The value. A document without has a generation, or only a lease. */
  readonly bytes?: Uint8Array;
  readonly generation?: GenerationDocument;
  /** When the value or the generation was written. */
  readonly at?: Date;
  /** Milliseconds from `at` on for which it is kept. */
  readonly ttl?: number;
  /** Milliseconds from `at` on for which it is fresh, at most `ttl`. */
  readonly freshFor?: number;
  readonly lease?: LeaseDocument;
  /** Which call stored the value with the right of a lease: see `MongodbLeases.fill`. */
  readonly filledBy?: string;
  /** When the document may be removed from the database, with a margin: see `sweep.ts`. No read looks at it. */
  readonly cachemeSweepAt?: Date;
}

interface LeaseDocument {
  readonly token: string;
  readonly at: Date;
  /** Milliseconds from `at` on. */
  readonly duration: number;
}

/**
 * The generation of a tag. No plain update can say "the later of the old time and now", so the times of the last few bumps
 * all stand here, each under its generation's id, and the time of the generation is the latest of them: it never goes
 * back, even where the server's clock was set back.
 */
export interface GenerationDocument {
  readonly id: string;
  readonly times: Readonly<Record<string, Date>>;
  /** The latest of the times that were removed from `times`. */
  readonly floor?: Date;
}

/** A length that ends in the year 5000 or so: for what is kept until it is removed. Dates of MongoDB reach further. */
export const forever = 1e14;

/**
 * Bytes of one value at most. A document of MongoDB has at most 16 MiB, its key and the names of its fields included, and a
 * key may have 6,000 bytes.
 */
export const longestValue: number = 16 * 1024 * 1024 - 16 * 1024;

/** Whole milliseconds from 1: a part is left off, since a record must not outlive the tier that it came from. */
export function lengthOf(milliseconds: number | undefined): number {
  if (milliseconds === undefined) return forever;
  return Math.min(Math.max(1, Math.floor(milliseconds)), forever);
}

/** How long a record is kept, and for how long it is fresh. */
export function lengthsOf({ ttl, freshFor }: StoredRecord): {
  readonly ttl: number;
  readonly freshFor: number;
} {
  const kept = lengthOf(ttl);
  return { ttl: kept, freshFor: Math.min(kept, lengthOf(freshFor)) };
}

/** What a read answers: the value, or the text of a generation. */
export function bytesOf({ bytes, generation }: RecordDocument): Uint8Array | undefined {
  if (bytes !== undefined) return apart(bytes);
  return generation === undefined ? undefined : Buffer.from(generationText(generationOf(generation)));
}

export function generationOf({ id, times, floor }: GenerationDocument): Generation {
  const at = Math.max(...Object.values(times).map(Number), Number(floor ?? 0));
  return { id, at };
}

/** The driver answers with views of the whole message. A small one that is kept would keep all of that alive. */
function apart(bytes: Uint8Array): Uint8Array {
  const spare = bytes.buffer.byteLength - bytes.byteLength;
  return spare > bytes.byteLength ? new Uint8Array(bytes) : bytes;
}
