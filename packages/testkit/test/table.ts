import { performance } from "node:perf_hooks";
import {
  type ConnectionOptions,
  connectionSettings,
  type Driver,
  DriverStorage,
  type RemoteStorage,
  type StoredRecord,
} from "cacheme/driver";

interface Held {
  readonly bytes: Uint8Array;
  readonly until: number;
}

const none = "A table does not have it.";

class TableDriver implements Driver {
  readonly lacks = { leases: none, generations: none, touchMany: none, scan: none, info: none };
  readonly #held: Map<string, Held>;

  constructor(held: Map<string, Held>) {
    this.#held = held;
  }

  // A first connection, and the end of the last one: a Map needs neither.
  async open() {}
  async close() {}
  async ping() {}

  // The clock that the ttls are counted on, in milliseconds since the epoch.
  async time() {
    return Math.floor(performance.timeOrigin + performance.now());
  }

  // In the order of the keys, undefined for a miss.
  async read(keys: readonly string[]) {
    return keys.map((key) => this.#find(key));
  }

  // Replaces the record. A ttl is in milliseconds from now; undefined: until it is removed.
  async write(records: readonly StoredRecord[]) {
    const now = performance.now();
    for (const { key, bytes, ttl = Number.POSITIVE_INFINITY } of records) {
      this.#held.set(key, { bytes: Uint8Array.from(bytes), until: now + ttl }); // the caller may reuse its bytes
    }
  }

  // Returns how many there were.
  async remove(keys: readonly string[]) {
    const there = keys.filter((key) => this.#find(key) !== undefined);
    for (const key of keys) this.#held.delete(key);
    return there.length;
  }

  #find(key: string) {
    const found = this.#held.get(key);
    return found !== undefined && found.until > performance.now() ? found.bytes : undefined;
  }
}

/** The map stands for the server: several storages may be its clients. */
export function table(held: Map<string, Held>, options: ConnectionOptions = {}): RemoteStorage {
  const settings = connectionSettings(options, "table()");
  return new DriverStorage(new TableDriver(held), { ...settings, label: "a table" }); // never a password in the label
}
