/**
 * Entries above a new, lower limit that each `set` evicts beside those it must evict: about 5 µs.
 * The timer removes more, because nobody waits for it: 100 µs.
 */
export const EVICTED_PER_OPERATION: number = 32;
export const REMOVED_PER_TIMER: number = 512;

/** Entries that each operation moves to lower slots while a cache frees memory: about 3 µs. */
export const MOVED_PER_OPERATION: number = 16;

/** Expired entries that an operation removes if it knows the time: about 2 µs. */
export const EXPIRED_PER_OPERATION: number = 8;
