import { type Copies, copyValue } from "../serializer/copy.js";
import { refuseUncarried } from "../serializer/refusal.js";
import { ValueTypes } from "../serializer/value-type.js";
import type { HeldGeneration, LocalEntry, LocalStorage } from "../storage/local-storage.js";
import type { MemoryOptions } from "./memory-options.js";

/** Copies values and entries, so that each reader gets its own. */
export class EntryCopies {
  readonly #types: ValueTypes | undefined;

  constructor(options: MemoryOptions) {
    this.#types = ValueTypes.of("memory()", options);
  }

  /** @throws SerializationError for a value that cannot be copied exactly */
  copy(value: unknown): unknown {
    const typed = refuseUncarried(value, "cloned", this.#types);
    const copies: Copies = new Map();
    for (const [original, { tag, data }] of typed) {
      copies.set(original, this.#types?.decode(tag, copyValue(data, copies)));
    }
    return copyValue(value, copies);
  }

  /**
   * Returns the entry with a copy of its value. The stored value was copied once. If a user's type
   * cannot copy it again, the read is a miss.
   */
  of(
    storage: LocalStorage,
    space: number,
    key: string,
    entry: LocalEntry | undefined,
  ): LocalEntry | undefined {
    if (entry === undefined) return undefined;
    try {
      const value = this.#types === undefined ? copyValue(entry.value, new Map()) : this.copy(entry.value);
      return new CopiedEntry(entry, value);
    } catch {
      storage.remove(space, key);
      return undefined;
    }
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

  get idleUntil(): number | undefined {
    return this.#held.idleUntil;
  }

  set idleUntil(time: number | undefined) {
    this.#held.idleUntil = time;
  }

  get quietUntil(): number | undefined {
    return this.#held.quietUntil;
  }

  set quietUntil(time: number | undefined) {
    this.#held.quietUntil = time;
  }
}
