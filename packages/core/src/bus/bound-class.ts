/** A class of values whose local entries in other processes the bus drops. */
export interface BoundClass {
  /** The name and the version, which tell classes of one prefix apart: `user:1`. */
  readonly busId: string;
  /**
   * Fences the running operations of the key, and drops its local entries. Dropping alone would
   * lose, because a value that was read before may be stored after it.
   */
  overtake(key: string): void;
  /** Does the same for every key. */
  overtakeAll(): void;
  /**
   * Drops the local entries. Running operations store no value in the local tiers, but in the
   * remote ones.
   */
  clearLocally(): void;
  /** Whether the class does not use its local tiers now, because the bus is down. */
  readonly bypassesLocalTiers: boolean;
}

/** The class and the key of an entry in a remote storage. */
export interface BoundEntry {
  readonly bound: BoundClass;
  /** `undefined` if the storage key holds a hash in its place, because it is too long. */
  readonly key: string | undefined;
}

/** The bus-bound classes of one space. */
export interface BoundClasses {
  /** The space's prefix, escaped. */
  readonly busPrefix: string;
  /** Returns the class that has this id now, if it was used in this process. */
  boundClass(busId: string): BoundClass | undefined;
  /** Returns the class and the key of an entry in a remote storage. */
  boundEntry(storageKey: string): BoundEntry | undefined;
  /** Lists the classes that were used in this process. */
  boundClasses(): Iterable<BoundClass>;
}
