/** Result of a read that found no entry. Unlike `undefined`, it is never a stored value. */
export const MISS: unique symbol = Symbol("@cacheme/memory miss");
