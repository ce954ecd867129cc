import { type CacheTier, memory, registerStorage, setPrefix } from "cacheme";

/** The address of a storage of any kind: its scheme names the kind. */
const secondTier = process.env.CACHE_URL;

/**
 * The tiers of the nodes: memory, and behind it a second storage. The nodes do not know which one.
 */
export const caches: readonly CacheTier[] =
  secondTier === undefined
    ? [{ storage: "memory" }]
    : [{ storage: "memory" }, { storage: "second", ttl: "10m" }];

/** Registers the storages, once before the first read. */
export async function connectCaches(): Promise<void> {
  setPrefix(process.env.CACHE_PREFIX ?? "quickstart");
  await registerStorage("memory", memory({ maxSize: 10_000 }));
  if (secondTier !== undefined) await registerStorage("second", secondTier, { commandTimeout: "5s" });
}
