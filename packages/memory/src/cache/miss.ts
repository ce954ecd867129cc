/** What a read returns where there is no entry: unlike `undefined`, never a value. */
export const MISS: unique symbol = Symbol("@cacheme/memory miss");
