export { BoundedCache, type EntryDetails } from "./bounded-cache.js";
export type { CancelTimer, Clock } from "./clock.js";
export { MISS } from "./miss.js";
export type { BoundedCacheOptions, ReadOptions, SetOptions } from "./options.js";
export type { PolicyName } from "./policy/choose.js";
export type { EvictionPolicy } from "./policy/eviction-policy.js";
export type { RandomSource } from "./random.js";
export type { Removal, RemovalCause, RemovalListener } from "./removal.js";
export type { CacheStats } from "./stats.js";
