import { type CacheTier, memory, registerStorage, setPrefix } from "cacheme";

/** The address of a storage of any kind: its scheme tells which. */
const secondTier = process.env.CACHE_URL;

/** Where the nodes keep their values: in memory, and behind it in a second storage. The nodes need not know which. */
export const caches: readonly CacheTier[] =
  secondTier === undefined
    ? [{ storage: "memory" }]
    : [{ storage: "memory" }, { storage: "second", ttl: "10m" }];

/** Called once, before the first read. */
export async function connectCaches(): Promise<void> {
  setPrefix(process.env.CACHE_PREFIX ?? "quickstart");
  await registerStorage("memory", memory({ maxSize: 10_000 }));
  if (secondTier !== undefined) await registerStorage("second", secondTier, { commandTimeout: "5s" });
}
