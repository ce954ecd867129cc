import { setTimeout as sleep } from "node:timers/promises";
import { changingSource, longTtl, type Row, settles, startRedis } from "../row.js";

export const invalidatedWhileLoading: Row = {
  title: "invalidated while it loads: a later read",
  fusionCache: { outcome: "not documented", page: "CoreMethods" },
  async run(library) {
    const { url } = await startRedis();
    const source = changingSource(300);
    const cache = await library.open({ tiers: "both", redisUrl: url, ttl: longTtl, load: source.load });
    const first = cache.get("key");
    await sleep(100);
    source.value = "new value";
    if (!(await settles(cache.invalidate("key")))) return "the invalidation has no answer in 5 s";
    await first;
    await sleep(200);
    return String(await cache.get("key"));
  },
};
