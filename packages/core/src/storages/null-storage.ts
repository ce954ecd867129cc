import type { LocalStorage } from "../storage/local-storage.js";
import { defaultValues } from "./memory.js";

/**
 * A storage that keeps nothing: every read is a miss. For switching a cache off where the program names it all the same, in
 * tests or while looking for a fault. Concurrent reads still share one load.
 *
 * @example
 * ```ts
 * await registerStorage("redis", process.env["REDIS_URL"] ?? nullStorage());
 * ```
 */
export function nullStorage(): LocalStorage {
  return {
    kind: "local",
    label: "null",
    values: defaultValues(),
    read: () => undefined,
    peek: () => undefined,
    write: () => {},
    remove: () => false,
    clear: () => {},
    close: () => {},
  };
}
