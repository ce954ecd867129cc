import { setTimeout as sleep } from "node:timers/promises";
import { Redis } from "ioredis";
import { openAdvised, type Row, settles, startRedis } from "../row.js";

export const redisBack: Row = {
  title: "Redis was down for 2 s and is back for 3 s: a new value reaches it",
  fusionCache: { outcome: "yes", page: "AutoRecovery" },
  async run(library) {
    const redis = await startRedis();
    const cache = await openAdvised(library, redis.url);
    await cache.get("before");
    await redis.kill();
    void settles(cache.get("meanwhile"));
    await sleep(2000);
    await redis.restart();
    await sleep(3000);
    if (!(await settles(cache.get("afterwards")))) return "no answer in 5 s";
    await sleep(200);
    const client = new Redis(redis.url);
    const keys = await client.keys("*");
    client.disconnect();
    return keys.some((key) => key.includes("afterwards")) ? "yes" : "no";
  },
};
