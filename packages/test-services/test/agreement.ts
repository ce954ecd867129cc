/**
 * The time limit of a test in which servers agree on a new master. They vote, and repeat the vote
 * if nobody wins. Sentinels take up to twenty seconds to make an old master a replica. `untilRedis`
 * fails after half a minute with the last answer, and must do so before the test's own limit.
 */
export const agreement = { timeout: 40_000 };
