import { shortened } from "../node/key.js";
import { KeyPattern } from "../storage/key-pattern.js";
import { dependencyMark } from "./dependency.js";

/** A pattern of storage keys. */
export interface StoredPattern {
  readonly pattern: KeyPattern;
  /** Whether the keys are those of entries; otherwise of generations. */
  readonly isOfEntries: boolean;
}

/** A pattern over `name:key` of nodes, in the keys of remote storages. */
export class EntryPattern {
  readonly #pattern: KeyPattern;
  /** The beginning of the storage keys of entries, and that of generations. */
  readonly #entries: string;
  readonly #generations: string;

  /** @param before the beginnings of the storage keys of entries, and of generations */
  constructor(
    pattern: KeyPattern,
    { entries, generations }: { readonly entries: string; readonly generations: string },
  ) {
    this.#pattern = pattern;
    this.#entries = entries;
    this.#generations = generations;
  }

  /** The pattern for messages. */
  get text(): string {
    return this.#pattern.toString();
  }

  /** Returns whether a node's key matches. */
  matches(name: string, key: string): boolean {
    return this.#pattern.matches(`${name}:${key}`);
  }

  /** Returns whether a key of the class may match. */
  mayMatch(name: string): boolean {
    const { prefix, literals } = this.#pattern;
    const beginning = `${name}:`;
    const isOpen = literals.length > 1 && beginning.startsWith(prefix);
    return prefix.startsWith(beginning) || isOpen;
  }

  /** The name of the class, if the pattern gives it. */
  get className(): string | undefined {
    const { prefix } = this.#pattern;
    const end = prefix.indexOf(":");
    return end === -1 ? undefined : prefix.slice(0, end);
  }

  /** Returns whether a tag stands for nodes that match, or may do so. */
  matchesTag(tag: string): boolean {
    if (!tag.startsWith(dependencyMark)) return false;
    const node = tag.slice(dependencyMark.length);
    return this.#matchesNode(node);
  }

  /** Returns whether a storage key belongs to an entry that matches, or to a generation of its tag. */
  matchesStored(storageKey: string): boolean {
    if (storageKey.startsWith(this.#generations)) {
      const tag = storageKey.slice(this.#generations.length);
      // The hash of a long tag hides the node. A generation that is lost for nothing costs misses.
      return tag.startsWith(shortened) || this.matchesTag(tag);
    }
    if (!storageKey.startsWith(this.#entries)) return false;
    const node = storageKey.slice(this.#entries.length, storageKey.lastIndexOf(":"));
    return !node.startsWith("~") && this.#matchesNode(node);
  }

  /** The patterns of the storage keys that may match. */
  get stored(): readonly StoredPattern[] {
    const { literals, isPrefix } = this.#pattern;
    const [first = "", ...rest] = literals;
    const last = rest.pop();
    const beforeNode = this.#generations + dependencyMark;
    const entries =
      last === undefined
        ? KeyPattern.startingWith(`${this.#entries}${first}:`)
        : KeyPattern.of(this.#entries + first, ...rest, `${last}:`, "");
    const dependents =
      last === undefined
        ? KeyPattern.of(beforeNode + first)
        : KeyPattern.of(beforeNode + first, ...rest, last);
    const patterns = [
      { pattern: entries, isOfEntries: true },
      { pattern: dependents, isOfEntries: false },
      { pattern: KeyPattern.startingWith(this.#generations + shortened), isOfEntries: false },
    ];
    if (isPrefix && this.className !== undefined && first.indexOf(":") === first.length - 1) return patterns;
    // The hashes of long keys hide them.
    const name = this.className ?? "";
    const hashed = (beginning: string) =>
      name === ""
        ? KeyPattern.of(beginning, `:${shortened}`, "")
        : KeyPattern.startingWith(`${beginning}${name}:${shortened}`);
    return [
      ...patterns,
      { pattern: hashed(this.#entries), isOfEntries: true },
      { pattern: hashed(beforeNode), isOfEntries: false },
    ];
  }

  /** A hash hides the key, so each one of a class that may match counts. */
  #matchesNode(node: string): boolean {
    const end = node.indexOf(":");
    if (node.startsWith(shortened, end + 1)) return this.mayMatch(node.slice(0, end));
    return this.#pattern.matches(node);
  }
}
