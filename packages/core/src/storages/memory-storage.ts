import { BoundedCache } from "@cacheme/memory";
import { deepFreeze } from "../entry/freeze.js";
import { ConfigurationError, reasonOf } from "../errors.js";
import { grouped } from "../grouped.js";
import type {
  HeldGeneration,
  LocalEntry,
  LocalRecord,
  LocalStorage,
  LocalValues,
} from "../storage/local-storage.js";
import { EntryCopies } from "./entry-copies.js";
import type { MemoryOptions } from "./memory-options.js";

/** Returns the form in which readers get values if no local storage decides it. */
export function defaultValues(): LocalValues {
  return process.env.NODE_ENV === "production" ? "shared" : "frozen";
}

const defaultMaxSize = 10_000;

/**
 * The longest ttl that the cache below counts. A read compares with the entry's own time in any
 * case.
 */
export const longestTtl: number = 10 * 365 * 86_400_000;

/**
 * The time for lookups. No entry has ended by then, so the cache below reads no clock. The reader
 * does.
 */
export const beforeEveryEnd: { readonly now: number } = { now: 0 };

/** Keeps entries in a bounded cache of this process. */
export class MemoryStorage implements LocalStorage {
  readonly kind = "local";
  readonly label: string;
  protected readonly cache: BoundedCache<string, LocalEntry>;
  readonly values: LocalValues;

  constructor({ maxSize, maxWeight, weigher, policy, values, snapshot }: MemoryOptions) {
    const size = maxSize ?? (maxWeight === undefined ? defaultMaxSize : undefined);
    try {
      this.cache = new BoundedCache({
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
    if (snapshot !== undefined)
      bounds.push(`saved in ${typeof snapshot === "string" ? snapshot : snapshot.file}`);
    this.label = `memory (${bounds.join(", ")})`;
  }

  read(space: number, key: string): LocalEntry | undefined {
    return this.cache.heldIn(space, key);
  }

  peek(space: number, key: string): LocalEntry | undefined {
    return this.cache.peekIn(space, key, beforeEveryEnd);
  }

  write(space: number, key: string, cached: LocalRecord, now: number): void {
    const keptUntil = cached.keptUntil ?? cached.freshUntil;
    const ttl = Math.min(keptUntil - now, longestTtl);
    if (!(ttl > 0)) {
      this.cache.deleteIn(space, key);
      return;
    }
    const entry = heldEntry(this.keep(cached.value), cached);
    this.cache.setIn(space, key, entry, keptUntil === Number.POSITIVE_INFINITY ? undefined : { ttl });
  }

  touch(space: number, key: string, keptUntil: number, now: number): void {
    const entry = this.cache.peekIn(space, key, beforeEveryEnd);
    const ttl = Math.min(keptUntil - now, longestTtl);
    if (entry !== undefined && ttl > 0) this.cache.setIn(space, key, entry, { ttl });
  }

  remove(space: number, key: string): boolean {
    return this.cache.deleteIn(space, key);
  }

  clear(space: number): void {
    this.cache.clearSpace(space);
  }

  removeWhere(space: number, accepts: (key: string) => boolean): number {
    const keys: string[] = [];
    for (const [key] of this.cache.entriesIn(space)) if (accepts(key)) keys.push(key);
    return keys.filter((key) => this.cache.deleteIn(space, key)).length;
  }

  close(): void {
    this.cache.clear();
  }

  /** Returns the form in which a value is stored. */
  protected keep(value: unknown): unknown {
    return this.values === "frozen" ? deepFreeze(value) : value;
  }
}

/** Gives each reader a copy. It is a separate class so that other reads do not check for it. */
export class CloningMemoryStorage extends MemoryStorage {
  readonly #copies: EntryCopies;

  constructor(options: MemoryOptions) {
    super(options);
    this.#copies = new EntryCopies(options);
  }

  override read(space: number, key: string): LocalEntry | undefined {
    return this.#copies.of(this, space, key, super.read(space, key));
  }

  override peek(space: number, key: string): LocalEntry | undefined {
    return this.#copies.of(this, space, key, super.peek(space, key));
  }

  copy(value: unknown): unknown {
    return this.#copies.copy(value);
  }

  protected override keep(value: unknown): unknown {
    return this.copy(value);
  }
}

/** An entry with its value. */
export class HeldEntry implements LocalEntry {
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

/** Returns the entry for a record. */
export function heldEntry(value: unknown, record: LocalRecord): HeldEntry {
  const { idleUntil } = record;
  return idleUntil === undefined ? new HeldEntry(value, record) : new IdleEntry(value, record, idleUntil);
}

/** An entry of a class with `idle`. It is a separate class so that other entries stay small. */
class IdleEntry extends HeldEntry {
  idleUntil: number | undefined;

  constructor(value: unknown, record: LocalRecord, idleUntil: number) {
    super(value, record);
    this.idleUntil = idleUntil;
  }
}
