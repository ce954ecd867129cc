import type { Clock } from "../../src/index.js";
import type { StoredRecord } from "../../src/storage/remote-storage.js";
import { SimulatedRemote } from "../support/simulated-remote.js";
import type { Gate, Gates } from "./gates.js";
import { numberIn, type Values } from "./values.js";

/** The callbacks for a remote tier's requests. */
export interface RequestWatcher {
  sent(keys: readonly number[]): void;
  /** Called if the request was not carried out, or its answer did not arrive. */
  failed(keys: readonly number[]): void;
  ended(keys: readonly number[]): void;
}

/** A remote storage whose requests are carried out, and answered, when the schedule says so. */
export class GatedRemote extends SimulatedRemote {
  readonly #clock: Clock;
  readonly #gates: Gates;
  readonly #values: Values;
  readonly #watcher: RequestWatcher;
  /** The number of reads that were sent for each key. */
  readonly reads: Map<number, number>;
  /** The number of writes and removals that were sent for each key. */
  readonly mutations: Map<number, number>;

  constructor(clock: Clock, gates: Gates, values: Values, watcher: RequestWatcher, sameServer?: GatedRemote) {
    super(clock, sameServer);
    this.#clock = clock;
    this.#gates = gates;
    this.#values = values;
    this.#watcher = watcher;
    this.reads = sameServer?.reads ?? new Map();
    this.mutations = sameServer?.mutations ?? new Map();
  }

  /** Makes another client of the same server. */
  another(): GatedRemote {
    return new GatedRemote(this.#clock, this.#gates, this.#values, this.#watcher, this);
  }

  override readMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#scheduled("read", keys, [], () => super.readMany(keys));
  }

  override writeMany(records: readonly StoredRecord[]): Promise<void> {
    const stored = records.map(({ key }) => key);
    const values = records.map(({ bytes }) => numberIn(bytes));
    return this.#scheduled("write", stored, values, async () => {
      await super.writeMany(records);
      for (const value of values) {
        const origin = this.#values.of(value);
        if (origin !== undefined) origin.taken = true;
      }
    });
  }

  override removeMany(keys: readonly string[]): Promise<number> {
    return this.#scheduled("remove", keys, [], () => super.removeMany(keys));
  }

  async #scheduled<T>(
    kind: Gate["kind"],
    stored: readonly string[],
    values: readonly number[],
    carryOut: () => Promise<T>,
  ): Promise<T> {
    const keys = stored.map(keyOf);
    if (this.closed > 0) {
      this.#watcher.failed(keys);
      throw new Error(`The storage is closed: ${kind}.`);
    }
    const gate: Gate = { kind, keys, born: this.#values.born(), values };
    const passed = async () => {
      if ((await this.#gates.pass(gate)) !== "fail") return;
      this.#watcher.failed(keys);
      throw new Error(`The storage is in trouble: ${kind}.`);
    };
    const counts = kind === "read" ? this.reads : this.mutations;
    for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
    this.#watcher.sent(keys);
    try {
      await passed();
      const answer = await carryOut();
      await passed();
      return answer;
    } finally {
      this.#watcher.ended(keys);
    }
  }
}

/** Returns the simulation's key in a stored one. */
function keyOf(stored: string): number {
  return Number(/:key(\d+)/.exec(stored)?.[1]);
}
