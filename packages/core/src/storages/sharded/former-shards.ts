import { optionError } from "../../option-checks.js";
import { KeyPattern } from "../../storage/key-pattern.js";
import type { ShardMember } from "./shard.js";

/**
 * The shards that were removed. They miss the invalidations since then, so their entries must be
 * removed before they are used again.
 */
export class FormerShards {
  readonly #names = new Set<string>();
  /** The first parts of the keys in use, which other programs' keys in a shard do not have. */
  readonly #prefixes = new Set<string>();

  /** Notes the keys of a batch. All of them have one first part. */
  use([key]: readonly string[]): void {
    if (key !== undefined) this.#prefixes.add(firstPart(key));
  }

  removed(name: string): void {
    this.#names.add(name);
  }

  /**
   * Removes our keys from a shard, if it was removed before.
   *
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` if it cannot list its keys, and the caller
   *   does not say that it is empty
   */
  async clear({ name, storage, isEmpty }: ShardMember): Promise<void> {
    if (!this.#names.has(name)) return;
    if (!isEmpty && storage.scan === undefined) {
      throw optionError(
        `The shard ${name} was removed before, and its old entries cannot be listed. Clear it, then add it with isEmpty: true.`,
      );
    }
    for (const prefix of isEmpty ? [] : this.#prefixes) {
      const pages = storage.scan?.(KeyPattern.startingWith(prefix)) ?? [];
      for await (const page of pages) await storage.removeMany(page);
    }
    this.#names.delete(name);
  }
}

/** Returns a key up to its first colon. The first part of Cacheme's keys is the prefix. */
function firstPart(key: string): string {
  const colon = key.indexOf(":");
  return colon === -1 ? key : key.slice(0, colon + 1);
}
