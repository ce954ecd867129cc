import { setTimeout as sleep } from "node:timers/promises";
import { changingSource, longTtl, openAll, type Row, startRedis } from "../row.js";

export const otherInstance: Row = {
  title: "invalidated in one instance: the memory of another, 1 s later",
  fusionCache: { outcome: "new value, with a backplane", page: "Backplane" },
  async run(library) {
    const { url } = await startRedis();
    const source = changingSource();
    const setUp = { tiers: "both", redisUrl: url, ttl: longTtl, bus: true } as const;
    const [here, there] = await openAll(library, 2, { ...setUp, load: source.load });
    await sleep(500);
    await here?.get("key");
    await there?.get("key");
    source.value = "new value";
    await here?.invalidate("key");
    await sleep(1000);
    return String(await there?.get("key"));
  },
};
