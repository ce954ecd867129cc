import type { LocalStorage } from "../storage/local-storage.js";
import { defaultValues } from "./memory-storage.js";

/**
 * Makes a storage that keeps nothing: every read is a miss. It turns a cache off without changing
 * the program, for tests or for debugging. Concurrent reads still share one load.
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
    touch: () => {},
    remove: () => false,
    clear: () => {},
    close: () => {},
  };
}
