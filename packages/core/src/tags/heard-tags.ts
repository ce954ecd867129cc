import type { TagNews } from "../bus/bus.js";
import type { Generation } from "../storage/generations.js";
import type { TagStorage } from "../tiers/tag-reads.js";
import type { TagTable } from "./tag-table.js";

/** Takes the news of tags from other processes. They overtake running operations, too. */
export class HeardTags implements TagNews {
  readonly #table: TagTable;
  readonly #storageOf: (name: string) => TagStorage | undefined;
  readonly #nextBirth: () => number;

  /**
   * @param storageOf returns the remote storage of a name
   * @param nextBirth draws the next birth number
   */
  constructor(table: TagTable, storageOf: (name: string) => TagStorage | undefined, nextBirth: () => number) {
    this.#table = table;
    this.#storageOf = storageOf;
    this.#nextBirth = nextBirth;
  }

  invalidated(name: string, storage: string | undefined, generation: Generation): void {
    const tag = this.#table.of(name);
    const told = storage === undefined ? undefined : this.#storageOf(storage);
    if (told === undefined) this.#table.invalidated([tag], this.#nextBirth());
    else {
      tag.heard(told, generation);
      this.#table.reinvalidated([tag], this.#nextBirth());
    }
  }

  missed(): void {
    this.#table.invalidatedWhere(() => true, this.#nextBirth());
  }

  changed(storageKey: string): void {
    const tag = this.#table.atKey(storageKey);
    if (tag !== undefined) this.#table.invalidated([tag], this.#nextBirth());
  }
}
