import { shortened, storageKey } from "../node/key.js";
import type { SnapshotTags, TagWatcher } from "../storage/local-snapshot.js";
import { Distrust } from "../tiers/distrust.js";
import type { TagStorage } from "../tiers/tag-reads.js";
import { dependencyMark, dependencyTag } from "./dependency.js";
import { type KnownGeneration, shared } from "./known-generation.js";
import { Tag } from "./tag.js";

/** The number of tags beyond which the table forgets. */
const mostTags = 100_000;

/** The share of the tags that the table forgets at once, at least. */
const forgottenShare = 0.25;

/**
 * The tags of one `Cacheme`, each an object. The table is bounded: entries of a forgotten tag are
 * misses, and operations that run meanwhile count as overtaken.
 */
export class TagTable implements SnapshotTags {
  readonly #tags = new Map<string, Tag>();
  /**
   * The tags whose invalidation has not reached a storage, by the storage's name. Another client of
   * the server may take the name.
   */
  readonly #distrusted = new Map<string, Distrust>();
  readonly #beforeTag: () => string;
  readonly #now: () => number;
  readonly #lastBirth: () => number;
  readonly #most: number;
  /** The birth number up to which every tagged operation counts as overtaken. */
  #floor = 0;
  /** Whether nodes were invalidated for which the table had no tag. */
  #hasMissedNodes = false;
  /** The snapshots of local storages, which hold entries of tags. */
  readonly #watchers = new Set<TagWatcher>();

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
    const tag = new Tag(name, this.keyOf(name), this.#now);
    this.#tags.set(name, tag);
    return tag;
  }

  /** Returns the key of a tag's generations in remote storages. */
  keyOf(name: string): string {
    return storageKey(this.#beforeTag(), name, "");
  }

  /** Returns the tag of that name, if the table has it. */
  find(name: string): Tag | undefined {
    return this.#tags.get(name);
  }

  /** Returns the tag whose generation has the storage key, if the table has it. */
  atKey(storageKey: string): Tag | undefined {
    const before = this.#beforeTag();
    if (!storageKey.startsWith(before)) return undefined;
    const name = storageKey.slice(before.length);
    const found = this.find(name);
    if (found !== undefined || !name.startsWith(shortened)) return found;
    for (const tag of this.#tags.values()) if (tag.key === storageKey) return tag;
    return undefined;
  }

  watch(watcher: TagWatcher): void {
    this.#watchers.add(watcher);
  }

  restored(names: readonly string[], neededUntil: number): readonly KnownGeneration[] | undefined {
    const tags = names.map((name) => this.of(name));
    const isMissed = this.#hasMissedNodes && names.some((name) => name.startsWith(dependencyMark));
    if (isMissed || this.isOvertaken(tags, 0)) return undefined;
    const generations = tags.map((tag) => tag.here());
    for (const generation of generations)
      generation.neededUntil = Math.max(generation.neededUntil, neededUntil);
    return shared(generations);
  }

  /** Records an invalidation, which overtakes operations of the tags that were born earlier. */
  invalidated(tags: readonly Tag[], birth: number): void {
    for (const tag of tags) {
      tag.invalidated = Math.max(tag.invalidated, birth);
      tag.end();
      for (const watcher of this.#watchers) watcher.ended(tag.name);
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
      for (const watcher of this.#watchers) watcher.ended(tag.name);
    }
  }

  /** Records an invalidation of a node, for the values that depend on it. */
  invalidatedNode(name: string, key: string, birth: number): void {
    const tag = this.#tags.size === 0 ? undefined : this.find(dependencyTag(name, key));
    if (tag === undefined) this.#hasMissedNodes = true;
    else this.invalidated([tag], birth);
  }

  /** Records an invalidation of every node of a class. */
  invalidatedNodes(name: string, birth: number): void {
    this.#hasMissedNodes = true;
    if (this.#tags.size === 0) return;
    const beginning = `${dependencyMark}${name}:`;
    this.invalidatedWhere((tag) => tag.startsWith(beginning), birth);
  }

  /** Overtakes every tagged operation that was born earlier, and ends the matching tags. */
  invalidatedWhere(matches: (name: string) => boolean, birth: number): void {
    this.#floor = Math.max(this.#floor, birth);
    for (const tag of this.#tags.values()) if (matches(tag.name)) tag.end();
    for (const watcher of this.#watchers) watcher.endedWhere(matches);
  }

  /** Returns whether one of the tags was invalidated since the birth number was the last one. */
  isOvertaken(tags: readonly Tag[], birth: number): boolean {
    if (this.#floor > birth) return true;
    for (const { invalidated } of tags) if (invalidated > birth) return true;
    return false;
  }

  /** Does the same for the tags of an entry. */
  isEntryOvertaken(generations: readonly KnownGeneration[], birth: number): boolean {
    if (this.#floor > birth) return true;
    for (const { owner } of generations) if (owner.invalidated > birth) return true;
    return false;
  }

  /** Returns the tags whose invalidation has not reached the storage. */
  distrustIn({ name }: TagStorage): Distrust {
    let distrusted = this.#distrusted.get(name);
    if (distrusted === undefined) {
      distrusted = new Distrust();
      this.#distrusted.set(name, distrusted);
    }
    return distrusted;
  }

  /** Records that an invalidation of a tag has reached the storage. */
  trust(storage: TagStorage, name: string): void {
    this.#distrusted.get(storage.name)?.remove(name);
  }

  /**
   * Returns whether the storage may hold entries of the tags that an invalidation has not reached.
   */
  distrusts(storage: TagStorage, tags: readonly { readonly name: string }[]): boolean {
    const distrusted = this.#distrusted.get(storage.name);
    return distrusted !== undefined && tags.some(({ name }) => distrusted.has(name));
  }

  /** Returns whether the storage's entry may be one that an invalidation has not reached. */
  distrustsEntry(storage: TagStorage, generations: readonly KnownGeneration[], writtenAt: number): boolean {
    const distrusted = this.#distrusted.get(storage.name);
    if (distrusted === undefined) return false;
    return distrusted.covers(writtenAt) || generations.some(({ tag }) => distrusted.has(tag));
  }

  /**
   * Ends every generation, because another storage has taken a name. The generations of the old one
   * would never be compared again.
   */
  storageReplaced(birth: number): void {
    this.invalidatedWhere(() => true, birth);
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
    for (const watcher of this.#watchers) watcher.endedWhere(() => true);
  }
}
