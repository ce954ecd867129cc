import type { LocalStorage } from "../storage/local-storage.js";
import type { MemoryOptions } from "./memory-options.js";
import { CloningMemoryStorage, MemoryStorage } from "./memory-storage.js";
import { SavingCloningStorage, SavingMemoryStorage } from "./snapshot/saving-memory-storage.js";
import type { SavingStorage } from "./snapshot/saving-storage.js";
import type { SnapshotOptions } from "./snapshot/snapshot-options.js";

/**
 * Makes a bounded storage in this process. It holds values by reference, and drops them when their
 * ttl has expired. With the option `snapshot` it keeps them from one start to the next.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`
 * @example
 * ```ts
 * await registerStorage("local", memory({ maxSize: 50_000 }));
 * ```
 */
export function memory(
  options: MemoryOptions & { readonly snapshot: string | SnapshotOptions },
): SavingStorage;
export function memory(options?: MemoryOptions): LocalStorage;
export function memory(options: MemoryOptions = {}): LocalStorage {
  const { snapshot, values } = options;
  if (snapshot === undefined)
    return values === "cloned" ? new CloningMemoryStorage(options) : new MemoryStorage(options);
  return values === "cloned"
    ? new SavingCloningStorage(options, snapshot)
    : new SavingMemoryStorage(options, snapshot);
}
