import { randomUUID } from "node:crypto";
import { startRedisCluster } from "@cacheme/test-services";
import { itRefusesOptions } from "@cacheme/test-services/journal/option-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { journalCompliance } from "@cacheme/testkit/vitest";
import { systemClock } from "cacheme";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RedisJournalOptions, redisJournal } from "../../src/index.js";
import { type Together, wholeCluster } from "../several-servers.js";

describeWithServer("redis", "journals in one server", (server) => {
  journalCompliance({
    name: "redisJournal",
    create: (place) => redisJournal(server().url, { name: place }),
  });

  it("takes ended claims over behind many of classes that it does not know", async () => {
    const journal = redisJournal(server().url, { name: `t${randomUUID()}` });
    await journal.connect(systemClock);
    try {
      const record = (node: string, key: string) => ({ key, node, bytes: Buffer.from(key) });
      const of = (node: string, count: number) => ({ nodes: [node], count, duration: 1, ahead: 0 });
      const others = Array.from({ length: 20 }, (_, place) => record("other:1", `other:${place}`));
      await journal.append(others, 0);
      expect(await journal.claim(of("other:1", 20))).toHaveLength(20);
      await journal.append([record("user:1", "user:1")], 0);
      expect(await journal.claim(of("user:1", 1))).toHaveLength(1);
      // The server's clock ends the claims.
      await expect.poll(() => journal.claim(of("user:1", 1))).toHaveLength(1);
      await expect.poll(() => journal.claim({ ...of("other:1", 20), duration: 60_000 })).toHaveLength(20);
      expect(await journal.counts()).toContainEqual({ node: "other:1", unsaved: 20, deadLetters: 0 });
    } finally {
      await journal.close();
    }
  });
});

describeWithServer("redis", "the consumers of a journal", (server) => {
  it("go when their processes have died and their records were taken over", async () => {
    const name = `t${randomUUID()}`;
    const client = new Redis(server().url);
    const make = async () => {
      const journal = redisJournal(server().url, { name });
      await journal.connect(systemClock);
      return journal;
    };
    const dead = await Promise.all([make(), make(), make()]);
    const alive = await make();
    try {
      const claimed = { nodes: ["user:1"], count: 1, duration: 1, ahead: 0 };
      const record = (key: string) => ({ key, node: "user:1", bytes: Buffer.from(key) });
      for (const [place, journal] of dead.entries()) {
        await journal.append([record(`user:${place}`)], 0);
        expect(await journal.claim({ ...claimed, duration: 100 })).toHaveLength(1);
      }
      const [stream = ""] = (await client.keys(`*${name}*`)).filter((key) => key.includes("user:1"));
      const consumers = async () => (await client.call("XINFO", "CONSUMERS", stream, "writers")) as unknown[];
      expect((await consumers()).length).toBe(3);
      await expect.poll(() => alive.claim({ ...claimed, count: 10 })).toHaveLength(3);
      await alive.append([record("user:9")], 0);
      await expect.poll(() => alive.claim({ ...claimed, count: 10 })).not.toHaveLength(0);
      expect((await consumers()).length).toBe(1);
    } finally {
      await Promise.all([...dead, alive].map((journal) => journal.close()));
      await client.quit();
    }
  });
});

describeWithServer("redis", "journals in a Cluster", () => {
  let cluster: Together | undefined;
  let stop: (() => Promise<unknown>) | undefined;
  beforeAll(async () => {
    const servers = await startRedisCluster();
    cluster = wholeCluster(servers);
    stop = () => servers.stop();
  });
  afterAll(() => stop?.());
  journalCompliance({
    name: "redisJournal, Cluster",
    create: (place) => redisJournal(cluster?.url ?? "", { name: place }),
  });
});

describe("the options of a journal", () => {
  itRefusesOptions(
    (options: RedisJournalOptions) => redisJournal("redis://localhost", options),
    [
      [{ name: "{a}" }, "CACHEME_INVALID_OPTION"],
      [{ commandTimeout: "soon" }, "CACHEME_INVALID_DURATION"],
      [{ names: "a" }, "CACHEME_INVALID_OPTION"],
    ],
  );
});
