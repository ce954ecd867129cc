import type { Redis, RedisOptions } from "ioredis";
import type { Library } from "./on-demand.js";

/** A client that does nothing of its own accord: it neither connects nor retries nor queues. See `connection.ts`. */
export function made({ Redis }: Library, options: RedisOptions): Redis {
  return new Redis({
    maxLoadingRetryTime: 500,
    ...options,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => null,
    maxRetriesPerRequest: null,
    // The storage bounds each attempt as a whole, the wait for a server that loads its data included.
    connectTimeout: 0,
  });
}
