import type { RemoteStorage } from "../storage/remote-storage.js";

/** A remote storage, as tags know it. They compare it, and name it in messages. */
export interface TagStorage {
  readonly name: string;
  readonly storage: RemoteStorage;
}

/** A tag whose generation is read in the batch of the entries that carry it. */
export interface ReadTag {
  /** The key of its generation in the storage. */
  readonly key: string;
  /** The reads that it was last added to. Each reads a tag once, however many entries carry it. */
  reads: TagReads | undefined;
  /**
   * Called with the storage's bytes before the requests of the batch are answered.
   *
   * @param sent the number of the request, see {@link nextMoment}
   */
  arrived(storage: TagStorage, bytes: Uint8Array | undefined, sent: number): void;
}

/** A request for an entry, and for the generations of its tags. */
interface TaggedRead {
  readonly tags?: readonly ReadTag[] | undefined;
}

let moments = 0;

/**
 * Draws a number for the moment when a request is sent, or when its answer has arrived. An answer
 * to a request that was sent later is at least as new.
 */
export function nextMoment(): number {
  moments += 1;
  return moments;
}

/** The tags that one request reads after the keys of its entries. */
export class TagReads {
  readonly #tags: ReadTag[] = [];
  readonly #entries: number;
  readonly #sent = nextMoment();

  private constructor(entries: number) {
    this.#entries = entries;
  }

  /** Adds the keys of the requests' tags to the keys. Returns `undefined` if there are no tags. */
  static addTo(requests: readonly TaggedRead[], keys: string[]): TagReads | undefined {
    let reads: TagReads | undefined;
    for (const { tags } of requests) {
      if (tags === undefined) continue;
      reads ??= new TagReads(requests.length);
      for (const tag of tags) reads.#add(tag, keys);
    }
    return reads;
  }

  #add(tag: ReadTag, keys: string[]): void {
    if (tag.reads === this) return;
    tag.reads = this;
    this.#tags.push(tag);
    keys.push(tag.key);
  }

  /** Gives each tag its bytes. @param found `undefined` if the storage did not answer */
  end(storage: TagStorage, found: readonly (Uint8Array | undefined)[] | undefined): void {
    for (const [place, tag] of this.#tags.entries()) {
      if (tag.reads === this) tag.reads = undefined;
      if (found !== undefined) tag.arrived(storage, found[this.#entries + place], this.#sent);
    }
  }
}

/** Returns the number of tags that a request reads. */
export function countTags({ tags }: TaggedRead): number {
  return tags === undefined ? 0 : tags.length;
}

/** Returns whether requests read at most so many tags. */
export function haveFewTags(requests: readonly TaggedRead[], most: number): boolean {
  let count = 0;
  for (const { tags } of requests) if (tags !== undefined) count += tags.length;
  return count <= most;
}
