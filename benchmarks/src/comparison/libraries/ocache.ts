import { Redis } from "ioredis";
import {
  composeStorage,
  createBlobStorage,
  createMemoryStorage,
  defineCachedFunction,
  type StorageInterface,
} from "ocache";
import { type Cache, ioredisOptions, type Library, type SetUp } from "../library.js";

/**
 * The documentation's "Caching Functions" and "Storage": `composeStorage` of a memory and of `createBlobStorage` over a
 * Redis client. Times are in seconds.
 */
export const ocache: Library = {
  name: "ocache",
  packages: ["ocache", "ioredis"],
  lacks: ["tags", "signal"],
  open(setUp: SetUp): Promise<Cache> {
    const { ttl, load, staleFor, loadTimeout } = setUp;
    let hits = 0;
    const cached = defineCachedFunction((key: string) => load(key), {
      name: "value",
      getKey: (key) => key,
      maxAge: ttl / 1000,
      storage: storageOf(setUp),
      onError: () => {},
      transform: ({ status }) => {
        if (status === "hit") hits++;
      },
      ...(staleFor === undefined ? {} : { swr: true, staleMaxAge: staleFor / 1000 }),
      ...(loadTimeout === undefined ? {} : { maxResolveTime: loadTimeout / 1000 }),
    });
    return Promise.resolve({
      get: (key) => cached(key),
      invalidate: (key) => cached.invalidate(key),
      hitCount: () => hits,
    });
  },
};

function storageOf(setUp: SetUp): StorageInterface {
  const { tiers, ttl } = setUp;
  if (tiers === "memory") return createMemoryStorage();
  const remote = onRedis(setUp);
  if (tiers === "redis") return remote;
  return composeStorage([{ storage: createMemoryStorage(), ttl: ttl / 1000 }, remote], { onError: () => {} });
}

function onRedis(setUp: SetUp): StorageInterface {
  const client = new Redis(ioredisOptions(setUp));
  client.on("error", () => {});
  return createBlobStorage({
    get: (key) => client.getBuffer(key),
    async set(key, value, options) {
      if (value === null) await client.del(key);
      else if (options?.ttl === undefined) await client.set(key, Buffer.from(value));
      else await client.set(key, Buffer.from(value), "PX", Math.ceil(options.ttl * 1000));
    },
  });
}
