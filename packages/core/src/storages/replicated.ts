import { backOff } from "../driver/back-off.js";
import { BatchError, closedStorage, reasonOf } from "../errors.js";
import { optionError } from "../option-checks.js";
import type { KeyPattern } from "../storage/key-pattern.js";
import type {
  RemoteStorage,
  StorageCapability,
  StorageInfo,
  StoredRecord,
} from "../storage/remote-storage.js";
import { checkKeys } from "../storage/stored-key.js";
import { elapsed } from "../timers.js";

/** The number of missed keys after which a replica is given up: some megabytes. */
const mostMissed = 100_000;

/**
 * Keeps the same entries in several storages. Writes and removals go to all of them, reads to the
 * nearest. Use it for storages that do not replicate among themselves, such as one in each data
 * centre. If the database replicates by itself, that is better.
 *
 * A read goes to the first storage of the list, and to the next one if the first is down. A write
 * or a removal that did not reach every storage rejects with a `BatchError`. This process does not
 * read the keys that a storage missed there until they have been removed from it. The removal
 * happens with the first call that the storage answers again. A storage that missed more than
 * 100,000 keys is not read any more.
 *
 * @param storages the storages, the nearest first
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` if the list is empty
 * @example
 * ```ts
 * await registerStorage("redis", replicated([redis("redis://here.example"), redis("redis://there.example")]));
 * ```
 */
export function replicated(storages: readonly RemoteStorage[]): RemoteStorage {
  if (
    !Array.isArray(storages) ||
    storages.length === 0 ||
    storages.some((storage) => storage?.kind !== "remote")
  ) {
    throw optionError(
      "replicated() expected a list of storages. Give at least one, as redis() and its like return them, the nearest first.",
    );
  }
  return new Replicated(storages.map((storage) => new Replica(storage)));
}

const reason = "No copy decides alone, so a late fill of one copy could undo a removal of all.";

class Replicated implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly lacks: { readonly [capability in StorageCapability]?: string };
  readonly #replicas: readonly Replica[];
  #closing: Promise<void> | undefined;

  constructor(replicas: readonly Replica[]) {
    this.#replicas = replicas;
    this.label = `replicated (${replicas.map(({ storage }) => storage.label).join(", ")})`;
    const scans = replicas.every(({ storage }) => storage.scan !== undefined);
    this.lacks = {
      leases: reason,
      generations: reason,
      ...(scans ? {} : { scan: "One of its storages has none." }),
    };
    if (!scans) this.scan = undefined;
  }

  async connect(): Promise<void> {
    this.#check([]);
    await Promise.all(this.#replicas.map(({ storage }) => storage.connect()));
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#replicas.map(({ storage }) => storage.close())).then(() => {});
    return this.#closing;
  }

  /** Settles when one storage answers, because reads are then served. */
  async ping(): Promise<void> {
    this.#check([]);
    await this.#nearest((replica) => replica.ping());
  }

  /**
   * Returns the time of the nearest storage that can be reached. This process reads its records
   * there, so that storage's clock decides which of them are expired. Processes that are near to
   * other copies read other clocks. Their times differ by as much as the copies' clocks do.
   */
  async time(): Promise<number> {
    this.#check([]);
    return this.#nearest((replica) => replica.time());
  }

  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    this.#check(keys);
    if (keys.length === 0) return [];
    return this.#nearest((replica) => replica.readMany(keys));
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    const keys = records.map(({ key }) => key);
    this.#check(keys);
    if (keys.length === 0) return;
    await this.#all("stored", keys, (replica) =>
      replica.change(keys, () => replica.storage.writeMany(records)),
    );
  }

  /**
   * Returns the greatest count of all storages, because a storage that was down has fewer records.
   */
  async removeMany(keys: readonly string[]): Promise<number> {
    this.#check(keys);
    if (keys.length === 0) return 0;
    const remove = (replica: Replica): Promise<number> =>
      replica.change(keys, () => replica.storage.removeMany(keys));
    return Math.max(...(await this.#all("removed", keys, remove)));
  }

  /**
   * Touches the records in every storage that can be reached, if each can. A storage that was not
   * reached drops them sooner, which costs a miss there.
   *
   * @throws if no storage can be reached
   */
  get touchMany(): RemoteStorage["touchMany"] {
    if (this.#replicas.some(({ storage }) => storage.touchMany === undefined)) return undefined;
    return async (touches) => {
      this.#check(touches.map(({ key }) => key));
      if (touches.length === 0) return [];
      const calls = this.#replicas.map(async ({ storage }) => await storage.touchMany?.(touches));
      const answered = (await Promise.allSettled(calls)).filter((call) => call.status === "fulfilled");
      if (answered.length === 0) await Promise.any(calls);
      return touches.map((_, index) => answered.some(({ value }) => value?.[index] === true));
    };
  }

  /**
   * @throws even if one storage is down, because another one may have keys that the nearest has not
   */
  scan?: ((pattern: KeyPattern) => AsyncIterable<readonly string[]>) | undefined = (pattern) =>
    this.#scan(pattern);

  async info(): Promise<StorageInfo> {
    this.#check([]);
    const info = await this.#nearest(async ({ storage }) => storage.info?.());
    return {
      ...(info ?? { server: "unknown" }),
      details: { ...info?.details, replicas: this.#replicas.length },
    };
  }

  async *#scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    this.#check([]);
    for (const { storage } of this.#replicas) yield* storage.scan?.(pattern) ?? [];
  }

  #check(keys: readonly string[]): void {
    if (this.#closing !== undefined) throw closedStorage(this.label);
    checkKeys(keys, this.label);
  }

  async #nearest<T>(call: (replica: Replica) => Promise<T>): Promise<T> {
    let first: unknown;
    const [resting, others] = [
      this.#replicas.filter(isResting),
      this.#replicas.filter((one) => !isResting(one)),
    ];
    for (const replica of [...others, ...resting]) {
      try {
        return await replica.answered(call(replica));
      } catch (error) {
        first ??= error;
      }
    }
    throw first;
  }

  async #all<T>(done: string, keys: readonly string[], call: (replica: Replica) => Promise<T>): Promise<T[]> {
    const outcomes = await Promise.allSettled(this.#replicas.map(call));
    const failed = new Set<string>();
    const reasons: string[] = [];
    let cause: unknown;
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") continue;
      cause ??= outcome.reason;
      for (const key of outcome.reason instanceof BatchError ? outcome.reason.keys : keys) failed.add(key);
      reasons.push(reasonOf(outcome.reason));
    }
    if (failed.size === 0) return outcomes.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    const message = `${this.label}: ${failed.size} ${failed.size === 1 ? "key" : "keys"} may not be ${done} everywhere. ${reasons.join(" ")}`;
    throw new BatchError(message, failed, { cause });
  }
}

function isResting({ restsUntil }: Replica): boolean {
  return restsUntil > elapsed();
}

/** One of the storages, and the keys that it missed. */
class Replica {
  readonly storage: RemoteStorage;
  /** The keys under which this storage may hold entries that the others no longer hold. */
  readonly #missed = new Map<string, number>();
  #misses = 0;
  #isGivenUp = false;
  #mending: Promise<void> | undefined;
  #failures = 0;
  /**
   * The time until which this storage is tried last, on the clock of `performance.now()`. Waiting
   * for its deadline each time would take too long.
   */
  restsUntil = 0;

  constructor(storage: RemoteStorage) {
    this.storage = storage;
  }

  ping(): Promise<void> {
    return this.storage.ping();
  }

  time(): Promise<number> {
    return this.storage.time();
  }

  /** Records whether the storage answered. */
  async answered<T>(call: Promise<T>): Promise<T> {
    try {
      const answer = await call;
      this.#failures = 0;
      return answer;
    } catch (error) {
      this.restsUntil = elapsed() + backOff(this.#failures++);
      throw error;
    }
  }

  /** @throws if one of the keys must not be read here, so that the next storage is tried */
  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (this.#missed.size > 0) await this.#mend();
    if (this.#isGivenUp || keys.some((key) => this.#missed.has(key))) {
      throw new Error(`${this.storage.label} has missed writes and cannot be read`);
    }
    return this.storage.readMany(keys);
  }

  /** Makes a change, and records the keys for which it may have failed. */
  async change<T>(keys: readonly string[], make: () => Promise<T>): Promise<T> {
    try {
      if (this.#missed.size > 0) await this.#mend();
      return await make();
    } catch (error) {
      this.#note(error instanceof BatchError ? error.keys : keys);
      throw error;
    }
  }

  #note(keys: Iterable<string>): void {
    for (const key of keys) this.#missed.set(key, ++this.#misses);
    if (this.#missed.size > mostMissed) {
      this.#isGivenUp = true;
      this.#missed.clear();
    }
  }

  /**
   * Removes the missed keys, one attempt at a time. If the attempt fails, the keys stay recorded.
   */
  #mend(): Promise<void> {
    this.#mending ??= this.#removeMissed().finally(() => {
      this.#mending = undefined;
    });
    return this.#mending;
  }

  async #removeMissed(): Promise<void> {
    const missed = [...this.#missed];
    await this.storage.removeMany(missed.map(([key]) => key));
    // Keys that were missed again meanwhile must still be removed.
    for (const [key, miss] of missed) if (this.#missed.get(key) === miss) this.#missed.delete(key);
  }
}
