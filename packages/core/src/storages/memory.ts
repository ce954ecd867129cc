import { BoundedCache } from "@cacheme/memory";
import { deepFreeze } from "../entry/freeze.js";
import { ConfigurationError, reasonOf } from "../errors.js";
import { grouped } from "../grouped.js";
import { type Copies, copyValue } from "../serializer/copy.js";
import { refuseUncarried } from "../serializer/refusal.js";
import { type ValueType, ValueTypes } from "../serializer/value-type.js";
import type {
  HeldGeneration,
  LocalEntry,
  LocalRecord,
  LocalStorage,
  LocalValues,
} from "../storage/local-storage.js";

/** The settings of {@link memory}. */
export interface MemoryOptions {
  /**
   * The most entries of all node classes together. Beyond that an entry is evicted. Default: 10,000
   * without `maxWeight`.
   */
  readonly maxSize?: number | undefined;
  /** The highest weight of all entries together, in the unit of `weigher`. Default: no limit. */
  readonly maxWeight?: number | undefined;
  /**
   * Returns the weight of a value: a whole number, 0 or more. Called once for each stored value.
   * Default: 1.
   */
  readonly weigher?: ((value: unknown) => number) | undefined;
  /**
   * The policy that chooses the entry to evict if there is no room; see the README of
   * `@cacheme/memory`. Default: `"tlfu"`.
   */
  readonly policy?: "tlfu" | "lru" | "lfu" | "fifo" | undefined;
  /**
   * The form in which readers get the values of entries, and of loads that several readers wait
   * for.
   *
   * - `"frozen"`: one object for all readers. Its plain objects and arrays are frozen, so that
   *   changing it throws.
   * - `"shared"`: one object for all readers, unchanged. A change by one reader shows for all.
   * - `"cloned"`: an equal copy for each reader. A value that cannot be copied exactly is not
   *   stored.
   *
   * Default: `"frozen"`, and `"shared"` if NODE_ENV is `production`, because frozen arrays are
   * slower to iterate.
   */
  readonly values?: LocalValues | undefined;
  /** With `"cloned"`: types of your own that are copied by encoding and decoding. Default: none. */
  readonly types?: readonly ValueType[] | undefined;
}

/**
 * Makes a bounded storage in this process. It holds values by reference, and drops them when their
 * ttl has expired.
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

/** Returns the form in which readers get values if no local storage decides it. */
export function defaultValues(): LocalValues {
  return process.env.NODE_ENV === "production" ? "shared" : "frozen";
}

const defaultMaxSize = 10_000;

/**
 * The longest ttl that the cache below counts. A read compares with the entry's own time in any
 * case.
 */
const longestTtl = 10 * 365 * 86_400_000;

/**
 * The time for lookups. No entry has ended by then, so the cache below reads no clock. The reader
 * does.
 */
const beforeEveryEnd = { now: 0 };

class MemoryStorage implements LocalStorage {
  readonly kind = "local";
  readonly label: string;
  readonly #cache: BoundedCache<string, LocalEntry>;
  readonly values: LocalValues;

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
      const reason = reasonOf(cause);
      throw new ConfigurationError("CACHEME_INVALID_OPTION", `memory() got an invalid option: ${reason}`, {
        cause,
      });
    }
    this.values = values ?? defaultValues();
    if (!["frozen", "shared", "cloned"].includes(this.values)) {
      throw new ConfigurationError(
        "CACHEME_INVALID_OPTION",
        `memory() expected values to be "frozen", "shared" or "cloned", got ${JSON.stringify(values)}.`,
      );
    }
    const bounds = [size && `${grouped(size)} entries`, maxWeight && `weight ${maxWeight}`].filter(Boolean);
    this.label = `memory (${bounds.join(", ")})`;
  }

  read(space: number, key: string): LocalEntry | undefined {
    return this.#cache.heldIn(space, key);
  }

  peek(space: number, key: string): LocalEntry | undefined {
    return this.#cache.peekIn(space, key, beforeEveryEnd);
  }

  write(space: number, key: string, cached: LocalRecord, now: number): void {
    const keptUntil = cached.keptUntil ?? cached.freshUntil;
    const ttl = Math.min(keptUntil - now, longestTtl);
    if (!(ttl > 0)) {
      this.#cache.deleteIn(space, key);
      return;
    }
    const entry = new HeldEntry(this.keep(cached.value), cached);
    this.#cache.setIn(space, key, entry, keptUntil === Number.POSITIVE_INFINITY ? undefined : { ttl });
  }

  remove(space: number, key: string): boolean {
    return this.#cache.deleteIn(space, key);
  }

  clear(space: number): void {
    this.#cache.clearSpace(space);
  }

  removeWhere(space: number, accepts: (key: string) => boolean): number {
    const keys: string[] = [];
    for (const [key] of this.#cache.entriesIn(space)) if (accepts(key)) keys.push(key);
    return keys.filter((key) => this.#cache.deleteIn(space, key)).length;
  }

  close(): void {
    this.#cache.clear();
  }

  /** Returns the form in which a value is stored. */
  protected keep(value: unknown): unknown {
    return this.values === "frozen" ? deepFreeze(value) : value;
  }
}

/** Gives each reader a copy. It is a separate class so that other reads do not check for it. */
class CloningMemoryStorage extends MemoryStorage {
  readonly #types: ValueTypes | undefined;

  constructor(options: MemoryOptions) {
    super(options);
    this.#types = ValueTypes.of("memory()", options);
  }

  override read(space: number, key: string): LocalEntry | undefined {
    const entry = super.read(space, key);
    return entry && this.#copyOf(space, key, entry);
  }

  override peek(space: number, key: string): LocalEntry | undefined {
    const entry = super.peek(space, key);
    return entry && this.#copyOf(space, key, entry);
  }

  copy(value: unknown): unknown {
    const typed = refuseUncarried(value, "cloned", this.#types);
    const copies: Copies = new Map();
    for (const [original, { tag, data }] of typed) {
      copies.set(original, this.#types?.decode(tag, copyValue(data, copies)));
    }
    return copyValue(value, copies);
  }

  protected override keep(value: unknown): unknown {
    return this.copy(value);
  }

  /**
   * Returns the entry with a copy of its value. The stored value was copied once. If a user's type
   * cannot copy it again, the read is a miss.
   */
  #copyOf(space: number, key: string, entry: LocalEntry): LocalEntry | undefined {
    try {
      const value = this.#types === undefined ? copyValue(entry.value, new Map()) : this.copy(entry.value);
      return new CopiedEntry(entry, value);
    } catch {
      this.remove(space, key);
      return undefined;
    }
  }
}

class HeldEntry implements LocalEntry {
  readonly value: unknown;
  readonly writtenAt: number;
  readonly freshUntil: number;
  readonly generations: readonly HeldGeneration[] | undefined;
  readonly kept: unknown;
  hits = 0;
  quietUntil: number | undefined;

  constructor(value: unknown, { writtenAt, freshUntil, generations, kept }: LocalRecord) {
    this.value = value;
    this.writtenAt = writtenAt;
    this.freshUntil = freshUntil;
    this.generations = generations;
    this.kept = kept;
  }
}

/** A reader's own copy of an entry's value. The hits are counted in the entry, which carries its marks. */
class CopiedEntry implements LocalEntry {
  readonly value: unknown;
  readonly writtenAt: number;
  readonly freshUntil: number;
  readonly generations: readonly HeldGeneration[] | undefined;
  readonly kept: unknown;
  readonly #held: LocalEntry;

  constructor(held: LocalEntry, value: unknown) {
    this.value = value;
    this.writtenAt = held.writtenAt;
    this.freshUntil = held.freshUntil;
    this.generations = held.generations;
    this.kept = held.kept;
    this.#held = held;
  }

  get hits(): number {
    return this.#held.hits;
  }

  set hits(hits: number) {
    this.#held.hits = hits;
  }

  get quietUntil(): number | undefined {
    return this.#held.quietUntil;
  }

  set quietUntil(time: number | undefined) {
    this.#held.quietUntil = time;
  }
}
