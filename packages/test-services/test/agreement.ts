/**
 * The time of a test in which servers have to agree on a new master: they vote, again if none wins, and sentinels take up to twenty
 * seconds to make a replica of a master that came back. `untilRedis` waits half a minute for that and says what it heard
 * instead: that has to come first.
 */
export const agreement = { timeout: 40_000 };
