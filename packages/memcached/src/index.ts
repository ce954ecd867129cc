import type { RemoteStorage } from "cacheme";
import { DriverStorage } from "cacheme/driver";
import { MemcachedDriver } from "./driver.js";
import { type MemcachedConnectionOptions, type MemcachedStorageOptions, settings } from "./options.js";

export type { MemcachedConnectionOptions, MemcachedServer, MemcachedStorageOptions } from "./options.js";

/**
 * Stores records in memcached 1.6.13 or newer, on one server or on several that share the keys.
 *
 * @param target the servers: an address (`memcached://`, or `memcacheds://` for TLS, with commas
 *   between several servers), or options
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for
 *   an invalid address or option
 *
 * Every call settles within `commandTimeout` and rejects with a `StorageError`:
 * `CACHEME_CONNECT_FAILED` while the server cannot be reached, `CACHEME_CONNECT_REFUSED` if it
 * refuses the account, `CACHEME_UNSUPPORTED_SERVER` if it is too old, `CACHEME_STORAGE_FAILED` if
 * it answers with an error or not in time, `CACHEME_CLOSED` after `close()`. If one of several
 * servers is down, reads miss its keys, and every other call with one of its keys rejects.
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
  const checked = settings(target, options);
  return new DriverStorage(new MemcachedDriver(checked), checked);
}
