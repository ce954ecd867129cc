import { asError, ConfigurationError } from "../errors.js";
import { changesMatching } from "../request/own-changes.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { NodeKind } from "../runtime/node-kind.js";
import { nextBirth } from "../runtime/operation.js";
import { classTag } from "../tags/dependency.js";
import type { EntryPattern } from "../tags/entry-pattern.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import { removeMatching } from "../tiers/remove-matching.js";
import type { Dependents } from "./dependents.js";
import type { FailedTier } from "./failed-tier.js";
import { incompleteMatching } from "./incomplete.js";
import { removeWithDependents } from "./invalidate.js";
import type { TagInvalidation } from "./invalidate-tags.js";
import { rightToLeft } from "./storage-order.js";

/** The options of `invalidateMatching` and `invalidateAll`, and of `clear` with remote tiers. */
export interface MatchingOptions {
  /**
   * A signal that ends the removal. The call rejects with the signal's reason; the removed entries
   * stay removed.
   */
  readonly signal?: AbortSignal | undefined;
  /** Called after each page of keys with the number of entries that were removed so far. */
  readonly onProgress?: ((removed: number) => void) | undefined;
}

/** How long a storage keeps the generation of a class, in milliseconds. A lost one costs misses. */
const kept = 24 * 60 * 60_000;

/** The environment of the removal of a pattern. */
export interface MatchingInvalidation extends TagInvalidation {
  readonly dependents: Dependents;
  /** Removes the local entries of classes that were not used in this process. */
  removeUnused(accepts: (storageKey: string) => boolean): number;
}

/**
 * Removes the entries that match a pattern from every tier: first it overtakes the operations that
 * are under way, then it removes the local entries, and then the remote ones, from right to left,
 * in pages.
 *
 * @returns the number of removed entries; an entry in two storages counts twice
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for invalid options
 * @throws IncompleteError `CACHEME_INVALIDATION_INCOMPLETE` if a storage could not be reached
 */
export async function invalidateMatching(
  pattern: EntryPattern,
  environment: MatchingInvalidation,
  options: MatchingOptions,
): Promise<number> {
  const { signal, onProgress } = options;
  if (onProgress !== undefined && typeof onProgress !== "function") {
    throw new ConfigurationError(
      "CACHEME_INVALID_OPTION",
      "Expected onProgress to be a function that takes a number.",
    );
  }
  signal?.throwIfAborted();
  const dropAgain = changesMatching(pattern, environment.table);
  try {
    return await new MatchingRemoval(pattern, environment, options).run();
  } finally {
    dropAgain?.();
  }
}

class MatchingRemoval {
  readonly #pattern: EntryPattern;
  readonly #environment: MatchingInvalidation;
  readonly #options: MatchingOptions;
  readonly #birth = nextBirth();
  readonly #failed: FailedTier[] = [];
  #removed = 0;
  /** The removals of keys that are being written, which a scan may not see. */
  readonly #writing: Promise<void>[] = [];

  constructor(pattern: EntryPattern, environment: MatchingInvalidation, options: MatchingOptions) {
    this.#pattern = pattern;
    this.#environment = environment;
    this.#options = options;
  }

  async run(): Promise<number> {
    const { storages, kinds } = this.#environment;
    this.#overtake(() => true);
    for (const kind of this.#kinds()) this.#removed += this.#removeLocally(kind);
    this.#removed += this.#environment.removeUnused((key) => this.#pattern.matchesStored(key));
    try {
      for (const storage of rightToLeft(storages, kinds)) {
        const error = await this.#removeFrom(storage);
        if (error !== undefined) this.#failed.push({ storage: storage.name, error });
        // A value that was read before its removal may be on its way to the tiers on the left.
        this.#overtake(isMutating);
        await Promise.all(this.#writing);
      }
    } finally {
      this.#overtake(isMutating);
      for (const kind of this.#kinds()) this.#removeLocally(kind);
    }
    await this.#announce();
    const error = incompleteMatching(this.#pattern.text, this.#failed);
    if (error !== undefined) throw error;
    return this.#removed;
  }

  /** The classes that were used in this process and may match. */
  *#kinds(): Generator<NodeKind> {
    for (const kind of this.#environment.kinds) if (this.#pattern.mayMatch(kind.name)) yield kind;
  }

  /** @param removes returns whether the key itself is removed, too: a scan may not see it */
  #overtake(removes: (activity: KeyActivity) => boolean): void {
    const { table } = this.#environment;
    for (const kind of this.#kinds()) {
      for (const activity of kind.activities.active()) {
        const { key } = activity;
        if (!this.#pattern.matches(kind.name, key)) continue;
        activity.operations.fenceOlderThan(this.#birth);
        if (removes(activity)) this.#writing.push(this.#removeKey(kind, key));
      }
    }
    // A load of a dependent value may have begun since, from an old entry.
    table.invalidatedWhere((tag) => this.#pattern.matchesTag(tag), nextBirth());
  }

  #removeKey(kind: NodeKind, key: string): Promise<void> {
    const { clock, dependents } = this.#environment;
    return new Promise((resolve) => {
      removeWithDependents({ kind, key, clock, dependents }, (failed) => {
        this.#failed.push(...failed);
        resolve();
      });
    });
  }

  #removeLocally({ name, spaces, localTiers, staleness }: NodeKind): number {
    let removed = 0;
    staleness?.backOffs.clearWhere((key) => this.#pattern.matches(name, key));
    for (const { storage } of localTiers) {
      for (const space of spaces) {
        if (storage.removeWhere === undefined) storage.clear(space);
        else removed += storage.removeWhere(space, (key) => this.#pattern.matches(name, key));
      }
    }
    return removed;
  }

  async #announce(): Promise<void> {
    const announced = Array.from(
      this.#kinds(),
      (kind) => new Promise<void>((resolve) => kind.announceAll(resolve)),
    );
    await Promise.all(announced);
  }

  #removeFrom(storage: RemoteBatch): Promise<Error | undefined> {
    return storage.storage.scan === undefined ? this.#bumpClasses(storage) : this.#scanAll(storage);
  }

  /** Replaces the generation of each class that may match, which all its entries carry. */
  #bumpClasses(storage: RemoteBatch): Promise<Error | undefined> {
    const { table } = this.#environment;
    const names = new Set<string>();
    for (const kind of this.#kinds())
      if (kind.remoteTiers.some((tier) => tier.storage === storage)) names.add(kind.name);
    const { className } = this.#pattern;
    if (className !== undefined) names.add(className);
    if (names.size === 0) return Promise.resolve(undefined);
    if (!storage.generations.isSupported) return Promise.resolve(notListed(storage));
    const tags = Array.from(names, (name) => table.of(classTag(name)));
    table.invalidated(tags, nextBirth());
    return new Promise((resolve) =>
      storage.generations.bump(tags, kept, (error) => {
        table.reinvalidated(tags, nextBirth());
        resolve(error);
      }),
    );
  }

  async #scanAll(storage: RemoteBatch): Promise<Error | undefined> {
    const { signal, onProgress } = this.#options;
    const accepts = (key: string) => this.#pattern.matchesStored(key);
    for (const { pattern, isOfEntries } of this.#pattern.stored) {
      let hasFailed = false;
      const removed = (count: number) => {
        if (!isOfEntries) return;
        this.#removed += count;
        try {
          onProgress?.(this.#removed);
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      };
      try {
        await removeMatching(storage, pattern, { begins: () => signal?.throwIfAborted(), accepts, removed });
      } catch (thrown) {
        // The caller's own signal or function ends the removal; a storage in trouble does not.
        if (hasFailed) throw thrown;
        signal?.throwIfAborted();
        return asError(thrown);
      }
    }
    return undefined;
  }
}

function isMutating(activity: KeyActivity): boolean {
  return activity.isMutating;
}

function notListed({ name, storage }: RemoteBatch): Error {
  return asError(
    `storage "${name}" (${storage.label}) can neither list its keys nor keep generations. ${storage.lacks?.scan ?? ""}`,
  );
}
