import { type Generation, generationText, ownBytes } from "cacheme/driver";

/**
 * The document of a key, with the key as its `_id`. The server's own clock (`$currentDate`) sets
 * every time in it but `cachemeSweepAt`, and beside each time is the length that counts from it. A
 * filter adds time and length, and compares with the server's `$$NOW`. So plain updates, which
 * every server supports, use the server's clock.
 */
export interface RecordDocument {
  readonly _id: string;
  /** The value. A document without it has a generation, or only a lease. */
  readonly bytes?: Uint8Array;
  readonly generation?: GenerationDocument;
  /** When the value or the generation was written. */
  readonly at?: Date;
  /** Milliseconds from `at` on for which it is kept. */
  readonly ttl?: number;
  /** Milliseconds from `at` on for which it is fresh, at most `ttl`. */
  readonly freshFor?: number;
  readonly lease?: LeaseDocument;
  /** The call that filled the value or released the lease: see `whichHeld`. */
  readonly changedBy?: string;
  /** When the document may be removed: see `sweep.ts`. No read looks at it. */
  readonly cachemeSweepAt?: Date;
}

/**
 * A document's place in the order of writing: that of `at`, with the key among the documents of one
 * millisecond. Documents of other programs have no `cachemeSweepAt`, and leases without a value no
 * `at`, so neither counts.
 */
export type WrittenAt = Required<Pick<RecordDocument, "_id" | "at">>;

interface LeaseDocument {
  readonly token: string;
  readonly at: Date;
  /** Milliseconds from `at` on. */
  readonly duration: number;
}

/**
 * The generation of a tag. No plain update can set "the later of the old time and now". So the
 * document keeps the times of the last few bumps, each under its generation's id, and the latest
 * counts. It never goes back, even if the server's clock was set back.
 */
export interface GenerationDocument {
  readonly id: string;
  readonly times: Readonly<Record<string, Date>>;
  /** The latest of the times that were removed from `times`. */
  readonly floor?: Date;
}

/** The length of a record without a ttl: it ends about the year 5000. */
export const forever = 1e14;

/** The most bytes of one value: a document of at most 16 MiB also has its key and its fields. */
export const longestValue: number = 16 * 1024 * 1024 - 16 * 1024;

/** Returns the stored length of a ttl, or of a time without an end. */
export function lengthOf(milliseconds: number | undefined): number {
  return Math.min(milliseconds ?? forever, forever);
}

/** Returns the value, or the text of a generation. */
export function bytesOf({ bytes, generation }: RecordDocument): Uint8Array | undefined {
  if (bytes !== undefined) return ownBytes(bytes);
  return generation === undefined ? undefined : Buffer.from(generationText(generationOf(generation)));
}

export function generationOf({ id, times, floor }: GenerationDocument): Generation {
  const at = Math.max(...Object.values(times).map(Number), Number(floor ?? 0));
  return { id, at };
}
