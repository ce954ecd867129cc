import { escapedPrefix, generationName } from "../node/key.js";
import type { KeyPattern } from "../storage/key-pattern.js";
import { EntryPattern } from "../tags/entry-pattern.js";
import { checkedPrefix } from "./checked-prefix.js";

/** The first part of a space's keys in remote storages. */
export class KeyPrefix {
  #text: string;

  constructor(prefix: string) {
    this.#text = checkedPrefix(prefix);
  }

  get text(): string {
    return this.#text;
  }

  set text(prefix: string) {
    this.#text = checkedPrefix(prefix);
  }

  /** The beginning of the keys of entries. */
  get beforeEntry(): string {
    return `${escapedPrefix(this.#text)}:`;
  }

  /** The beginning of the keys of generations. */
  get beforeTag(): string {
    return `${this.beforeEntry}${generationName}:`;
  }

  /** Returns a pattern over `name:key` for the keys. */
  pattern(pattern: KeyPattern): EntryPattern {
    return new EntryPattern(pattern, { entries: this.beforeEntry, generations: this.beforeTag });
  }
}
