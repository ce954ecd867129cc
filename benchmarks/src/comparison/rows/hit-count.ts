import { countingLoad, longTtl, type Row } from "../row.js";

export const hitCount: Row = {
  title: "1 miss and 9 hits: hits that it counts",
  needs: "hit count",
  fusionCache: { outcome: "events, OpenTelemetry", page: "Events" },
  async run(library) {
    const { load } = countingLoad((key) => key, 0);
    const cache = await library.open({ tiers: "memory", ttl: longTtl, load });
    for (let read = 0; read < 10; read++) await cache.get("key");
    return String(cache.hitCount?.());
  },
};
