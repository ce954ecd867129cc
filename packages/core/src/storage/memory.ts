import { BoundedCache } from "@cacheme/memory";
import type { Cached } from "../entry/entry.js";
import { ConfigurationError } from "../errors.js";
import { deepFreeze } from "../freeze.js";
import type { LocalEntry, LocalStorage } from "./local-storage.js";

/** The settings of {@link memory}. */
export interface MemoryOptions {
  /** How many entries are kept at most, of all node classes together; beyond that one is evicted. Default: 10,000 without `maxWeight`. */
  readonly maxSize?: number | undefined;
  /** How much the entries may weigh together, in the unit that `weigher` counts. Default: no limit. */
  readonly maxWeight?: number | undefined;
  /** What a value weighs: a whole number, 0 or more. Asked once for each value that is stored. Default: 1. */
  readonly weigher?: ((value: unknown) => number) | undefined;
  /** Which entry is evicted when there is no room: see the README of `@cacheme/memory`. Default: `"tlfu"`. */
  readonly policy?: "tlfu" | "lru" | "lfu" | "fifo" | undefined;
  /**
   * What readers are given. `"frozen"`: the stored object itself, its plain objects and arrays frozen, so that a reader who
   * changes it is told by an error. `"shared"`: the stored object itself, as it is; whoever changes it changes it for all.
   * `"cloned"`: a structured clone for each read; those who
   * wait for one load are given the loaded object itself. Default: `"frozen"`, and `"shared"` where NODE_ENV is `production`, since
   * frozen arrays are slower to iterate.
   */
  readonly values?: "frozen" | "shared" | "cloned" | undefined;
}

/**
 * A bounded storage in this process. Values are held by reference, and given back when their ttl is over.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION`
 * @example
 * ```ts
 * await registerStorage("local", memory({ maxSize: 50_000 }));
 * ```
 */
export function memory(options: MemoryOptions = {}): LocalStorage {
  return options.values === "cloned" ? new CloningMemoryStorage(options) : new MemoryStorage(options);
}

const defaultMaxSize = 10_000;

/** The longest that the cache beneath counts; a read compares with the entry's own time in any case. */
const longestTtl = 10 * 365 * 86_400_000;

/** Given as the time of a look: no entry has ended by then, so that the cache beneath asks no clock. The reader does. */
const beforeEveryEnd = { now: 0 };

class MemoryStorage implements LocalStorage {
  readonly kind = "local";
  readonly label: string;
  readonly #cache: BoundedCache<string, LocalEntry>;
  readonly #values: "frozen" | "shared" | "cloned";

  constructor({ maxSize, maxWeight, weigher, policy, values }: MemoryOptions) {
    const size = maxSize ?? (maxWeight === undefined ? defaultMaxSize : undefined);
    try {
      this.#cache = new BoundedCache({
        maxSize: size,
        maxWeight,
        weigher: weigher && ((entry) => weigher(entry.value)),
        policy,
      });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `memory() was given an option that it cannot keep: ${reason}`,
        {
          cause,
        },
      );
    }
    this.#values = values ?? (process.env.NODE_ENV === "production" ? "shared" : "frozen");
    if (!["frozen", "shared", "cloned"].includes(this.#values)) {
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `memory() was given values: ${JSON.stringify(values)}. Give "frozen", "shared" or "cloned".`,
      );
    }
    const bounds = [
      size && `${size.toLocaleString("en")} entries`,
      maxWeight && `weight ${maxWeight}`,
    ].filter(Boolean);
    this.label = `memory (${bounds.join(", ")})`;
  }

  read(space: number, key: string): LocalEntry | undefined {
    return this.#cache.heldIn(space, key);
  }

  peek(space: number, key: string): LocalEntry | undefined {
    return this.#cache.peekIn(space, key, beforeEveryEnd);
  }

  write(space: number, key: string, cached: Cached, now: number): void {
    const ttl = Math.min(cached.freshUntil - now, longestTtl);
    if (!(ttl > 0)) {
      this.#cache.deleteIn(space, key);
      return;
    }
    const entry = new HeldEntry(this.#keep(cached.value), cached.writtenAt, cached.freshUntil);
    this.#cache.setIn(
      space,
      key,
      entry,
      cached.freshUntil === Number.POSITIVE_INFINITY ? undefined : { ttl },
    );
  }

  remove(space: number, key: string): boolean {
    return this.#cache.deleteIn(space, key);
  }

  clear(space: number): void {
    this.#cache.clearSpace(space);
  }

  close(): void {
    this.#cache.clear();
  }

  #keep(value: unknown): unknown {
    if (this.#values === "frozen") return deepFreeze(value);
    return this.#values === "cloned" ? structuredClone(value) : value;
  }
}

/** Gives each reader a copy. A class of its own, so that other reads need not ask. */
class CloningMemoryStorage extends MemoryStorage {
  override read(space: number, key: string): LocalEntry | undefined {
    const entry = super.read(space, key);
    return entry && new ClonedEntry(entry);
  }

  override peek(space: number, key: string): LocalEntry | undefined {
    const entry = super.peek(space, key);
    return entry && new ClonedEntry(entry);
  }
}

class HeldEntry implements LocalEntry {
  readonly value: unknown;
  readonly writtenAt: number;
  readonly freshUntil: number;
  hits = 0;

  constructor(value: unknown, writtenAt: number, freshUntil: number) {
    this.value = value;
    this.writtenAt = writtenAt;
    this.freshUntil = freshUntil;
  }
}

/** A reader's own copy of an entry's value; its hits are the entry's. */
class ClonedEntry implements LocalEntry {
  readonly value: unknown;
  readonly writtenAt: number;
  readonly freshUntil: number;
  readonly #held: LocalEntry;

  constructor(held: LocalEntry) {
    this.value = structuredClone(held.value);
    this.writtenAt = held.writtenAt;
    this.freshUntil = held.freshUntil;
    this.#held = held;
  }

  get hits(): number {
    return this.#held.hits;
  }

  set hits(hits: number) {
    this.#held.hits = hits;
  }
}
