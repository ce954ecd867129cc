import type { RemoteStorage } from "cacheme";
import { DriverStorage } from "cacheme/driver";
import { rememberStorage } from "./bus/redis-bus.js";
import type { RedisConnectionOptions } from "./connection-options.js";
import { RedisDriver } from "./driver.js";
import type { RedisClient, RedisClusterClient } from "./ioredis.js";
import { type RedisStorageOptions, settings } from "./options.js";

export type { RedisBusOptions } from "./bus/options.js";
export { redisBus } from "./bus/redis-bus.js";
export type { Address, NatMap, RedisConnectionOptions } from "./connection-options.js";
export type { RedisClient, RedisClusterClient, RedisPipeline } from "./ioredis.js";
export type { RedisJournalOptions } from "./journal/options.js";
export { redisJournal } from "./journal/redis-journal.js";
export type { RedisStorageOptions } from "./options.js";

/**
 * Makes a storage in Redis or Valkey: in one server, in a master behind sentinels, or in a Redis
 * Cluster.
 *
 * @param target the server: an address, options of ioredis, or a client of ioredis that the program
 *   has already. Addresses are `redis://` and `rediss://` (TLS), or `valkey://` and `valkeys://`;
 *   `redis+cluster://host:port,host:port` with some nodes of a Cluster;
 *   `redis+sentinel://host:port,host:port/mymaster` with the sentinels. Options of ioredis may have
 *   `cluster`, or `sentinels` and `name`. The storage uses a client of the program, a `Redis` or a
 *   `Cluster`, with its own settings and never closes it; it only adds the deadline.
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once, if
 *   the address or an option is invalid
 *
 * Each call settles within `commandTimeout` and rejects with a `StorageError`:
 * `CACHEME_CONNECT_FAILED` while the server cannot be reached, `CACHEME_CONNECT_REFUSED` if it
 * refuses the account or takes no writes, `CACHEME_UNSUPPORTED_SERVER` if one kind of call does not
 * work on it, `CACHEME_STORAGE_FAILED` if it answers with an error or not in time, `CACHEME_CLOSED`
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
  const driver = new RedisDriver(checked, async () => storage.info?.());
  const storage: RemoteStorage = new DriverStorage(driver, checked);
  return rememberStorage(storage, { settings: checked, noteWrites: () => driver.noteWrites() });
}
