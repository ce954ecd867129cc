import { isFresh } from "../../entry/lifetime.js";
import type { HeldGeneration, LocalEntry } from "../../storage/local-storage.js";

/** Returns whether an entry may be returned, so that it is worth saving. */
export function isUsable(entry: LocalEntry, now: number): boolean {
  return isFresh(entry, now) && (entry.generations?.every(({ isCurrent }) => isCurrent) ?? true);
}

/** The fields of an entry in a snapshot. */
export interface SavedEntry {
  readonly key: string;
  readonly frequency: number;
  readonly segment: number;
  readonly writtenAt: number;
  readonly freshUntil: number;
  readonly weight: number;
  readonly tags: readonly string[];
  /** The value in its envelope; `undefined` if the value has to come from a remote tier. */
  readonly bytes: Uint8Array | undefined;
}

/**
 * An entry of a snapshot that nobody has read yet. It takes a value's place in the cache, with its
 * frequency and its end. The first read decodes it.
 */
export class RestoredEntry implements LocalEntry {
  readonly value = undefined;
  readonly kept = undefined;
  readonly writtenAt: number;
  readonly freshUntil: number;
  readonly generations: readonly HeldGeneration[] | undefined;
  readonly weight: number;
  readonly bytes: Uint8Array | undefined;
  hits = 0;

  constructor(
    { writtenAt, freshUntil, weight, bytes }: SavedEntry,
    generations: readonly HeldGeneration[] | undefined,
  ) {
    this.writtenAt = writtenAt;
    this.freshUntil = freshUntil;
    this.weight = weight;
    this.bytes = bytes;
    this.generations = generations;
  }
}
