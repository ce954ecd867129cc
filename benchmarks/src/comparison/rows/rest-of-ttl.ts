import { setTimeout as sleep } from "node:timers/promises";
import { changingSource, openAll, type Row, startRedis } from "../row.js";

export const restOfTtl: Row = {
  title: "Redis has a value for 1 s more, which fills the memory: a read 2 s later",
  fusionCache: { outcome: "not documented", page: "CacheLevels" },
  async run(library) {
    const { url } = await startRedis();
    const source = changingSource();
    const setUp = { tiers: "both", redisUrl: url, ttl: 3000, load: source.load } as const;
    const [writer, reader] = await openAll(library, 2, setUp);
    await writer?.get("key");
    await sleep(2000);
    source.value = "new value";
    if ((await reader?.get("key")) !== "old value") return "Redis lost the value early";
    await sleep(2000);
    return String(await reader?.get("key"));
  },
};
