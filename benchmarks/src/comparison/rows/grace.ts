import { setTimeout as sleep } from "node:timers/promises";
import { outcomeOf, type Row } from "../row.js";

export const grace: Row = {
  title: "expired, the source is down: a read",
  fusionCache: { outcome: "old value, with fail-safe", page: "FailSafe" },
  async run(library) {
    let loads = 0;
    const load = async (): Promise<string> => {
      if (loads++ > 0) throw new Error("down");
      return "old value";
    };
    const cache = await library.open({ tiers: "memory", ttl: 1000, load, staleFor: 60_000 });
    await cache.get("key");
    await sleep(1500);
    return outcomeOf(cache.get("key"), String, () => "the error");
  },
};
