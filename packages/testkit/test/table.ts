import { performance } from "node:perf_hooks";
import { checkKeys, type RemoteStorage, StorageError } from "cacheme/driver";

interface Held {
  readonly bytes: Uint8Array;
  readonly until: number;
}

/** The map stands for the server: several storages may be its clients. */
export function table(held: Map<string, Held>): RemoteStorage {
  const label = "a table"; // for messages; never with a password in it
  const none = "A table does not have it.";
  let isClosed = false;

  const check = (keys: readonly string[]) => {
    if (isClosed) throw new StorageError("CACHEME_CLOSED", `The storage ${label} is closed.`);
    checkKeys(keys, label);
  };
  const find = (key: string) => {
    const found = held.get(key);
    return found !== undefined && found.until > performance.now() ? found.bytes : undefined;
  };

  return {
    kind: "remote",
    label,
    lacks: { leases: none, generations: none, scan: none, info: none },
    async connect() {
      check([]);
    },
    async close() {
      isClosed = true;
    },
    async ping() {
      check([]);
    },
    // The clock that the ttls are counted on, in milliseconds since the epoch.
    async time() {
      check([]);
      return Math.floor(performance.timeOrigin + performance.now());
    },
    // In the order of the keys, undefined for a miss. The list may have a key twice.
    async readMany(keys) {
      check(keys);
      return keys.map(find);
    },
    // Replaces the record. A ttl is in milliseconds from now; undefined: until it is removed.
    async writeMany(records) {
      check(records.map(({ key }) => key));
      const now = performance.now();
      for (const { key, bytes, ttl = Number.POSITIVE_INFINITY } of records) {
        held.set(key, { bytes: Uint8Array.from(bytes), until: now + ttl }); // the caller may reuse its bytes
      }
    },
    // Returns how many there were; a key that is listed twice counts once. Leases are removed too.
    async removeMany(keys) {
      check(keys);
      const there = keys.filter((key) => find(key) !== undefined);
      for (const key of keys) held.delete(key);
      return new Set(there).size;
    },
  };
}
