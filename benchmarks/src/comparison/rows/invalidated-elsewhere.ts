import { setTimeout as sleep } from "node:timers/promises";
import { changingSource, longTtl, openAll, type Row, settles, startRedis } from "../row.js";

export const invalidatedElsewhere: Row = {
  title: "the same, invalidated by another instance: a later read in a third",
  fusionCache: { outcome: "not documented", page: "Backplane" },
  async run(library) {
    const { url } = await startRedis();
    const source = changingSource(300);
    const setUp = { tiers: "both", redisUrl: url, ttl: longTtl, bus: true, load: source.load } as const;
    const [loading, invalidating, reading] = await openAll(library, 3, setUp);
    await sleep(500);
    const first = loading?.get("key");
    await sleep(100);
    source.value = "new value";
    if (!(await settles(invalidating?.invalidate("key") ?? Promise.resolve())))
      return "the invalidation has no answer in 5 s";
    await first;
    await sleep(200);
    return String(await reading?.get("key"));
  },
};
