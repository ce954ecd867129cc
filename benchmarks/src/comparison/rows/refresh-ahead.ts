import { setTimeout as sleep } from "node:timers/promises";
import { countingLoad, type Row } from "../row.js";

export const refreshAhead: Row = {
  title: "read shortly before its ttl ends: a read after that waits for a load",
  fusionCache: { outcome: "no, with eager refresh", page: "EagerRefresh" },
  async run(library) {
    const { load, calls } = countingLoad((_, call) => call, 300);
    const cache = await library.open({ tiers: "memory", ttl: 3000, refreshAt: 2000, load });
    await cache.get("key");
    await sleep(1500);
    await cache.get("key");
    await sleep(2000);
    const loadsBefore = calls.length;
    return (await cache.get("key")) === 2 && loadsBefore === 2 ? "no" : "yes";
  },
};
