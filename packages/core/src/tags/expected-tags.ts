import type { Tag } from "./tag.js";
import type { TagTable } from "./tag-table.js";

/** The number of tag names, over all keys, beyond which the oldest keys are forgotten. */
const mostNames = 20_000;

/**
 * The tags that only the value of a key told the last time. A read of the key asks for their
 * generations together with the entry, because the next value nearly always has the same tags. A
 * wrong guess costs a second request, and never a wrong answer.
 */
export class ExpectedTags {
  readonly #byKey = new Map<string, readonly string[]>();
  readonly #table: TagTable;
  readonly #most: number;
  #names = 0;

  /** @param most the bound on the names; each name has 200 bytes at most */
  constructor(table: TagTable, most: number = mostNames) {
    this.#table = table;
    this.#most = most;
  }

  /** The number of names that are kept. */
  get size(): number {
    return this.#names;
  }

  /** Returns whether the key's value is expected to have tags. */
  has(storageKey: string): boolean {
    return this.#byKey.has(storageKey);
  }

  /** Returns the tags that the key's value is expected to have; `undefined` if none are known. */
  of(storageKey: string): readonly Tag[] | undefined {
    const names = this.#byKey.get(storageKey);
    return names?.map((name) => this.#table.of(name));
  }

  /** Notes the tags of the key's present value. Forgets the key if it has none. */
  note(storageKey: string, tags: readonly Tag[] | undefined): void {
    const known = this.#byKey.get(storageKey);
    if (known === undefined ? tags === undefined : areNames(known, tags)) return;
    this.#forget(storageKey, known);
    if (tags === undefined || tags.length === 0) return;
    this.#byKey.set(
      storageKey,
      tags.map(({ name }) => name),
    );
    this.#names += tags.length;
    for (const [key, names] of this.#byKey) {
      if (this.#names <= this.#most) break;
      this.#forget(key, names);
    }
  }

  #forget(storageKey: string, names: readonly string[] | undefined): void {
    if (names === undefined) return;
    this.#byKey.delete(storageKey);
    this.#names -= names.length;
  }
}

function areNames(names: readonly string[], tags: readonly Tag[] | undefined): boolean {
  return tags?.length === names.length && tags.every(({ name }, place) => name === names[place]);
}
