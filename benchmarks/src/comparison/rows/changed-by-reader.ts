import { longTtl, type Row } from "../row.js";

export const changedByReader: Row = {
  title: "a reader changes an object of the memory: the next reader",
  fusionCache: { outcome: "sees the change, or a copy with Auto-Clone", page: "AutoClone" },
  async run(library) {
    const load = async (): Promise<unknown> => ({ name: "as loaded" });
    const cache = await library.open({ tiers: "memory", ttl: longTtl, load });
    await cache.get("key");
    const value = (await cache.get("key")) as { name: string };
    try {
      value.name = "changed";
    } catch {
      return "the change throws";
    }
    const { name } = (await cache.get("key")) as { name: string };
    return name === "changed" ? "sees the change" : "has a copy";
  },
};
