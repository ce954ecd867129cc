import { randomUUID } from "node:crypto";
import { type RedisSentinel, startRedisSentinel } from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import type { RemoteStorage } from "cacheme";
import { Redis } from "ioredis";
import { Redis as Redis56 } from "ioredis-5.6";
import { Redis as Redis6 } from "ioredis-6";
import { beforeEach, expect, it } from "vitest";
import { redis } from "../src/index.js";
import { cleanupWithClients } from "./given-clients.js";
import { asked } from "./several-servers.js";

const quick = { commandTimeout: 500, connectTimeout: 1000 } as const;
const bytes = Buffer.from("value");

/** The sentinels wait and vote for some seconds before a fail-over. No call waits so long. */
const failOver = { timeout: 20_000 };

describeWithServer("redis", "a master behind sentinels", () => {
  let group: RedisSentinel;
  const { closing, after, given } = cleanupWithClients();
  // Each test has its own group: sentinels need up to twenty seconds to turn a returned master into
  // a replica.
  beforeEach(async () => {
    group = await startRedisSentinel();
    after(() => group.stop());
  });

  const sentinels = () => group.sentinels.map(({ port }) => ({ host: "127.0.0.1", port }));
  const options = () => ({
    sentinels: sentinels(),
    name: "mymaster",
    socketTimeout: 500,
    connectTimeout: 500,
  });
  const forms: [string, () => RemoteStorage][] = [
    ["an address", () => redis(group.url, quick)],
    ["options", () => redis({ sentinels: sentinels(), name: "mymaster" }, quick)],
    ["a client of ioredis 5.6", () => redis(given(new Redis56(options())), quick)],
    ["a client of ioredis 5.11", () => redis(given(new Redis(options())), quick)],
    ["a client of ioredis 6", () => redis(given(new Redis6(options())), quick)],
  ];
  const masterPort = async () => {
    const answer = await asked(group.sentinels[0]!.port, "sentinel", "get-master-addr-by-name", "mymaster");
    return Number(answer.split(",")[1]);
  };
  const connected = async (storage: RemoteStorage) => {
    await closing(storage).connect();
    return storage;
  };
  it("continues with the replica that replaces a killed master, with every client", failOver, async () => {
    const storages = await Promise.all(forms.map(([, make]) => connected(make())));
    const keys = storages.map(() => randomUUID());
    await Promise.all(
      storages.map((storage, index) => storage.writeMany([{ key: keys[index]!, bytes, ttl: 60_000 }])),
    );
    expect(Number(await asked(group.master.port, "wait", 2, 1000))).toBe(2);
    await group.master.kill();
    const longest = await Promise.all(
      storages.map((storage, index) => untilItWorks(storage, `${keys[index]}:later`)),
    );
    expect(Math.max(...longest)).toBeLessThan(quick.commandTimeout + 1000);
    expect(await masterPort()).not.toBe(group.master.port);
    for (const storage of storages)
      expect((await storage.readMany(keys)).map(String)).toEqual(keys.map(() => "value"));
  });

  it(
    "continues with the replica that replaces a hanging master, also after the old one wakes up",
    failOver,
    async () => {
      const storage = await connected(redis(group.url, quick));
      const key = randomUUID();
      await group.master.pause();
      await untilItWorks(storage, key);
      await group.master.resume();
      await storage.writeMany([{ key: `${key}:later`, bytes, ttl: 60_000 }]);
      expect(await masterPort()).not.toBe(group.master.port);
      expect(await asked(await masterPort(), "exists", key, `${key}:later`)).toBe("2");
    },
  );

  it("leaves a master that became a replica", failOver, async () => {
    const storage = await connected(redis(group.url, quick));
    await asked(group.sentinels[0]!.port, "sentinel", "failover", "mymaster");
    await until(async () => (await masterPort()) !== group.master.port);
    await until(async () => (await asked(group.master.port, "role")).startsWith("slave"));
    const key = randomUUID();
    await untilItWorks(storage, key);
    expect(await asked(await masterPort(), "exists", key)).toBe("1");
  });

  it("says that the sentinels know no master of that name", async () => {
    const storage = redis({ sentinels: sentinels(), name: "other", password: "secret" }, quick);
    closing(storage);
    const error: unknown = await storage.connect().catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "CACHEME_CONNECT_REFUSED" });
    expect(error).toHaveProperty(
      "message",
      expect.stringContaining('the sentinels know no master called "other"'),
    );
  });

  it("finds the master while one sentinel is down and another one hangs", async () => {
    const [first, second] = group.sentinels;
    await first!.kill();
    await second!.pause();
    const storage = await connected(redis(group.url, quick));
    await storage.ping();
    await second!.resume();
  });

  /** Calls until one succeeds, and returns the milliseconds of the slowest call. */
  async function untilItWorks(storage: RemoteStorage, key: string): Promise<number> {
    let longest = 0;
    await until(async () => {
      const began = performance.now();
      const works = await storage.writeMany([{ key, bytes, ttl: 60_000 }]).then(
        () => true,
        () => false,
      );
      longest = Math.max(longest, performance.now() - began);
      return works;
    });
    return longest;
  }
});
