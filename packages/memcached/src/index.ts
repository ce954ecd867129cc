import type { RemoteStorage } from "cacheme";
import { type MemcachedConnectionOptions, type MemcachedStorageOptions, settings } from "./options.js";
import { MemcachedStorage } from "./storage.js";

export type { MemcachedConnectionOptions, MemcachedServer, MemcachedStorageOptions } from "./options.js";

/**
 * A storage in memcached 1.6.13 or newer, on one server or on several that share the keys.
 *
 * @param target where the servers are: an address (`memcached://`, `memcacheds://` for TLS; several servers are parted by
 *   commas), or options
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for what cannot be meant
 *
 * Every call settles within `commandTimeout` and rejects with a `StorageError`: `CACHEME_CONNECT_FAILED` while the
 * server cannot be reached, `CACHEME_CONNECT_REFUSED` if it does not let us in, `CACHEME_UNSUPPORTED_SERVER` if it is too
 * old, `CACHEME_STORAGE_FAILED` when it answers with an error or not in time, `CACHEME_CLOSED` after `close()`. Of several servers, one that is down costs the keys that it has: reads find none of them, all else that
 * touches them rejects.
 *
 * @example
 * ```ts
 * await registerStorage("memcached", memcached("memcached://localhost:11211"));
 * await registerStorage("pages", memcached({ servers: [{ host: "10.0.0.7" }, { host: "10.0.0.8", weight: 2 }] }));
 * ```
 */
export function memcached(
  target: string | MemcachedConnectionOptions,
  options: MemcachedStorageOptions = {},
): RemoteStorage {
  return new MemcachedStorage(settings(target, options));
}
