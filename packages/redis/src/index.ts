import type { RemoteStorage } from "cacheme";
import {
  type RedisClient,
  type RedisConnectionOptions,
  type RedisStorageOptions,
  settings,
} from "./options.js";
import { RedisStorage } from "./redis-storage.js";

export type { RedisClient, RedisConnectionOptions, RedisPipeline, RedisStorageOptions } from "./options.js";

/**
 * A storage in Redis or Valkey.
 *
 * @param target where the server is: an address (`redis://`, `rediss://` for TLS, `valkey://`, `valkeys://`), options of
 *   ioredis, or a client of ioredis that the program has already. Such a client is used with its own settings and is
 *   never closed; only the deadline is added.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for what cannot be meant
 *
 * Every call settles within `commandTimeout` and rejects with a `StorageError`: `CACHEME_CONNECT_FAILED` while the
 * server cannot be reached, `CACHEME_STORAGE_FAILED` when it answers with an error or not in time, `CACHEME_CLOSED`
 * after `close()`.
 *
 * @example
 * ```ts
 * await registerStorage("redis", redis("redis://localhost:6379"));
 * await registerStorage("sessions", redis({ host: "10.0.0.7", db: 2 }, { connect: "lazy", commandTimeout: "200ms" }));
 * ```
 */
export function redis(
  target: string | RedisConnectionOptions | RedisClient,
  options: RedisStorageOptions = {},
): RemoteStorage {
  return new RedisStorage(settings(target, options));
}
