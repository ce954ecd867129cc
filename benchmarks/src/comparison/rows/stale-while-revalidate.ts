import { setTimeout as sleep } from "node:timers/promises";
import { countingLoad, type Row } from "../row.js";

export const staleWhileRevalidate: Row = {
  title: "expired, the next load takes 1 s: 100 readers, and loads",
  fusionCache: { outcome: "old value, with a soft timeout", page: "Timeouts" },
  async run(library) {
    let duration = 0;
    const { load, calls } = countingLoad((_, call) => (call === 1 ? "old" : "new"), 0);
    const slow = async (key: string): Promise<unknown> => {
      await sleep(duration);
      return load(key);
    };
    const cache = await library.open({ tiers: "memory", ttl: 1000, load: slow, staleFor: 60_000 });
    await cache.get("key");
    await sleep(1500);
    duration = 1000;
    const begin = performance.now();
    const answers = await Promise.all(Array.from({ length: 100 }, () => cache.get("key")));
    const waited = performance.now() - begin > 800 ? "after the load" : "at once";
    await sleep(1500);
    return `${[...new Set(answers)].join(" and ")} value ${waited}, ${calls.length - 1}`;
  },
};
