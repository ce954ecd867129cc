import { openAdvised, outcomeOf, type Row, startRedis } from "../row.js";

export const redisStopped: Row = {
  title: "Redis stops answering (SIGSTOP): a read of a missing key",
  fusionCache: { outcome: "value, with timeouts", page: "StepByStep" },
  async run(library) {
    const redis = await startRedis();
    const cache = await openAdvised(library, redis.url);
    await cache.get("warm");
    await redis.pause();
    const outcome = await outcomeOf(cache.get("key"), () => "value");
    await redis.resume();
    return outcome;
  },
};
