import type { RemoteStorage } from "cacheme";
import { clientOf } from "./client-of.js";
import {
  type RedisClient,
  type RedisClusterClient,
  type RedisConnectionOptions,
  type RedisStorageOptions,
  settings,
} from "./options.js";
import { RedisStorage } from "./storage.js";

export type {
  Address,
  NatMap,
  RedisClient,
  RedisClusterClient,
  RedisConnectionOptions,
  RedisPipeline,
  RedisStorageOptions,
} from "./options.js";

/**
 * A storage in Redis or Valkey: a single server, a master that sentinels know, or a Redis Cluster.
 *
 * @param target where the server is: an address (`redis://`, `rediss://` for TLS, `valkey://`, `valkeys://`;
 *   `redis+cluster://host:port,host:port` with some nodes of a Cluster; `redis+sentinel://host:port,host:port/mymaster` with
 *   the sentinels), options of ioredis (with `cluster`, or `sentinels` and `name`), or a client of ioredis that the program has
 *   already, `Redis` or `Cluster`. Such a client is used with its own settings and is never closed; only the deadline is added.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, for what cannot be meant
 *
 * Every call settles within `commandTimeout` and rejects with a `StorageError`: `CACHEME_CONNECT_FAILED` while the
 * server cannot be reached, `CACHEME_CONNECT_REFUSED` if it does not let us in or takes no writes,
 * `CACHEME_UNSUPPORTED_SERVER` if a call of some kind does not work on it, `CACHEME_STORAGE_FAILED` when it answers with an error or not in time, `CACHEME_CLOSED`
 * after `close()`.
 *
 * @example
 * ```ts
 * await registerStorage("redis", redis("redis://localhost:6379"));
 * await registerStorage("sessions", redis({ host: "10.0.0.7", db: 2 }, { connect: "lazy", commandTimeout: "200ms" }));
 * await registerStorage("pages", redis("redis+cluster://10.0.0.7:7000,10.0.0.8:7000"));
 * ```
 */
export function redis(
  target: string | RedisConnectionOptions | RedisClient | RedisClusterClient,
  options: RedisStorageOptions = {},
): RemoteStorage {
  const checked = settings(target, options);
  return new RedisStorage({ settings: checked, ...clientOf(checked) });
}
