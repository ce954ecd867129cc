import { storageKey } from "../node/key.js";
import { Tag } from "./tag.js";

/** The number of tags beyond which the table forgets. */
const mostTags = 100_000;

/** The share of the tags that the table forgets at once, at least. */
const forgottenShare = 0.25;

/**
 * The tags of one `Cacheme`, each an object. The table is bounded: entries of a forgotten tag are
 * misses, and operations that run meanwhile count as overtaken.
 */
export class TagTable {
  readonly #tags = new Map<string, Tag>();
  readonly #beforeTag: () => string;
  readonly #now: () => number;
  readonly #lastBirth: () => number;
  readonly #most: number;
  /** The birth number up to which every tagged operation counts as overtaken. */
  #floor = 0;

  /**
   * @param beforeTag returns the beginning of a generation's key
   * @param now returns the time on our clock
   * @param lastBirth returns the last birth number that was drawn
   */
  constructor(beforeTag: () => string, now: () => number, lastBirth: () => number, most: number = mostTags) {
    this.#lastBirth = lastBirth;
    this.#beforeTag = beforeTag;
    this.#now = now;
    this.#most = most;
  }

  /** The number of tags that the table holds. */
  get size(): number {
    return this.#tags.size;
  }

  /** Returns the tag of that name. */
  of(name: string): Tag {
    const known = this.#tags.get(name);
    if (known !== undefined) return known;
    if (this.#tags.size >= this.#most) this.#forget();
    const tag = new Tag(name, storageKey(this.#beforeTag(), name, ""), this.#now);
    this.#tags.set(name, tag);
    return tag;
  }

  /** Returns the tag of that name, if the table has it. */
  find(name: string): Tag | undefined {
    return this.#tags.get(name);
  }

  /** Records an invalidation, which overtakes operations of the tags that were born earlier. */
  invalidated(tags: readonly Tag[], birth: number): void {
    for (const tag of tags) {
      tag.invalidated = Math.max(tag.invalidated, birth);
      tag.end();
    }
  }

  /**
   * Records the end of an invalidation. The generations that storages have told are kept, because
   * they are the new ones.
   */
  reinvalidated(tags: readonly Tag[], birth: number): void {
    for (const tag of tags) {
      tag.invalidated = Math.max(tag.invalidated, birth);
      tag.endUntold();
    }
  }

  /** Overtakes every tagged operation that was born earlier, and ends the matching tags. */
  invalidatedWhere(matches: (name: string) => boolean, birth: number): void {
    this.#floor = birth;
    for (const tag of this.#tags.values()) if (matches(tag.name)) tag.end();
  }

  /** Returns whether one of the tags was invalidated since the birth number was the last one. */
  isOvertaken(tags: readonly Tag[], birth: number): boolean {
    if (this.#floor > birth) return true;
    for (const { invalidated } of tags) if (invalidated > birth) return true;
    return false;
  }

  /** Drops the tags that no local entry needs, and the oldest ones if those are too few. */
  #forget(): void {
    const now = this.#now();
    let excess = Math.ceil(this.#most * forgottenShare);
    for (const [name, tag] of this.#tags) {
      if (tag.isNeededAt(now)) continue;
      this.#tags.delete(name);
      tag.end();
      excess -= 1;
    }
    for (const [name, tag] of this.#tags) {
      if (excess <= 0) break;
      this.#tags.delete(name);
      tag.end();
      excess -= 1;
    }
    this.#floor = this.#lastBirth();
  }
}
