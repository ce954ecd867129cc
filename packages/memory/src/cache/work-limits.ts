/** Entries above a new, lower limit that each `set` evicts, beside what it has to: about 5 µs. The timer, for which nobody waits: 100 µs. */
export const EVICTED_PER_OPERATION: number = 32;
export const REMOVED_PER_TIMER: number = 512;

/** Entries that an operation moves to lower slots, when a cache gives memory back: about 3 µs. */
export const MOVED_PER_OPERATION: number = 16;

/** Expired entries that an operation which knows the time removes, beside its own work: about 2 µs. */
export const EXPIRED_PER_OPERATION: number = 8;
