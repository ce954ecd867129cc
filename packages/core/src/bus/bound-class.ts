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
  /** Returns whether the class keeps nothing in its local tiers while the bus is down. */
  bypassesLocalTiers(whenBusDown: WhenBusDown): boolean;
}

/** The bus-bound classes of one space. */
export interface BoundClasses {
  /** The space's prefix, escaped. */
  readonly busPrefix: string;
  /** Returns the class that has this id now, if it was used in this process. */
  boundClass(busId: string): BoundClass | undefined;
  /** Returns the class and the key of an entry in a remote storage. A shortened key is `undefined`. */
  boundEntry(
    storageKey: string,
  ): { readonly bound: BoundClass; readonly key: string | undefined } | undefined;
  /** Lists the classes that were used in this process. */
  boundClasses(): Iterable<BoundClass>;
}

/**
 * The use of the local tiers of a class with remote tiers while the bus is down.
 *
 * - `"bounded"`: local entries are served for a short time.
 * - `"bypass"`: the local tiers are not used, so each read goes to the remote tiers.
 */
export type WhenBusDown = "bounded" | "bypass";
