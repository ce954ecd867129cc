import type { RemoteStorage } from "cacheme";
import { DriverStorage } from "cacheme/driver";
import { GlideDriver } from "./driver.js";
import { type AnyGlideClient, type GlideStorageOptions, settings } from "./options.js";

export type { AnyGlideClient, GlideStorageOptions } from "./options.js";

/**
 * A storage in Valkey or Redis, on Valkey GLIDE (`@valkey/valkey-glide`): in one server or in a
 * cluster. It shares its records with `@cacheme/redis`.
 *
 * @param target an address (`glide://:password@host:6379/0`, `glides://host` for TLS,
 *   `glide+cluster://one,two` for nodes of a cluster), or your own client of GLIDE, which the storage
 *   never closes
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, if
 *   the address or an option is invalid
 *
 * Each call settles within `commandTimeout` and rejects with a `StorageError`, with the codes of
 * every storage over a server: `CACHEME_CONNECT_FAILED`, `CACHEME_CONNECT_REFUSED`,
 * `CACHEME_UNSUPPORTED_SERVER`, `CACHEME_STORAGE_FAILED` and `CACHEME_CLOSED`.
 *
 * @example
 * ```ts
 * await registerStorage("valkey", glide("glide://localhost:6379"));
 * ```
 */
export function glide(target: string | AnyGlideClient, options: GlideStorageOptions = {}): RemoteStorage {
  const checked = settings(target, options);
  return new DriverStorage(new GlideDriver(checked), checked);
}
