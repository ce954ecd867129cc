/**
 * The options of a storage that a benchmark fills and reads. The default deadline is 250 ms. A busy
 * machine misses it, and the storage's breaker then opens in the middle of a measurement.
 */
export const patient = { deadline: "20s" } as const;

/** The options of the Redis storage itself, for the same reason. */
export const patientClient = { commandTimeout: "20s" } as const;
