import { Redis } from "ioredis";
import { countingLoad, longTtl, openAll, type Row, startRedis } from "../row.js";

const keys = Array.from({ length: 100 }, (_, index) => `key${index}`);

export const redisCommands: Row = {
  title: "100 keys that Redis has, read in one tick: commands (in one read of many)",
  fusionCache: { outcome: "not documented", page: "CoreMethods" },
  async run(library) {
    const { url } = await startRedis();
    const { load } = countingLoad((key) => key, 0);
    const setUp = { tiers: "both", redisUrl: url, ttl: longTtl, load } as const;
    const [writer, reader, readerOfMany] = await openAll(library, 3, setUp);
    await Promise.all(keys.map((key) => writer?.get(key)));

    const single = await commandsOf(url, () => Promise.all(keys.map((key) => reader?.get(key))));
    if (readerOfMany?.getMany === undefined) return String(single);
    return `${single} (${await commandsOf(url, async () => readerOfMany.getMany?.(keys))})`;
  },
};

/** The commands that reached Redis during a call; those that a client sends for itself are not among them. */
async function commandsOf(url: string, call: () => Promise<unknown>): Promise<number> {
  const client = new Redis(url);
  await client.config("RESETSTAT");
  await call();
  const statistics = await client.info("commandstats");
  client.disconnect();
  const lines = [...statistics.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  const ofItself = /^(config|info|hello|client|ping|command|auth|select)/;
  return lines.reduce((sum, [, name = "", calls]) => (ofItself.test(name) ? sum : sum + Number(calls)), 0);
}
