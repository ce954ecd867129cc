import { randomUUID } from "node:crypto";
import { type RedisCluster, startRedisCluster } from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cluster, Redis } from "ioredis";
import { Redis as Redis6 } from "ioredis-6";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cleanupWithClients } from "../given-clients.js";

/*
 * The facts about ioredis and Redis that the bus is built on. If one of these tests fails with a
 * newer version, look at the code that the test names.
 */

const { given } = cleanupWithClients();

describeWithServer("redis", "the facts behind the bus", (server) => {
  const connected = async () => {
    const client = given(new Redis(server().port));
    await client.ping();
    return client;
  };

  /** A subscriber that hears the reports for a client that tracks. */
  async function tracking(...words: string[]) {
    const [subscriber, tracker, other] = [await connected(), await connected(), await connected()];
    const id = await subscriber.client("ID");
    const reports: (string[] | null)[] = [];
    subscriber.on("messageBuffer", (_: Buffer, keys: Buffer[] | null) =>
      reports.push(keys?.map(String) ?? null),
    );
    await subscriber.subscribe("__redis__:invalidate");
    await tracker.call("CLIENT", "TRACKING", "ON", "REDIRECT", String(id), ...words);
    const prefix = randomUUID();
    let marks = 0;
    /** Returns the reports of everything that was done before. */
    const reported = async (): Promise<(string[] | null)[]> => {
      const mark = `${prefix}:mark:${++marks}`;
      await tracker.get(mark);
      await other.set(mark, "x");
      await until(() => reports.some((keys) => keys?.includes(mark)));
      return reports.splice(0).filter((keys) => !keys?.includes(mark));
    };
    return { subscriber, tracker, other, reported, prefix };
  }

  it("ioredis emits ready before the subscriptions that it repeats are in force (redis-bus-connection.ts)", async () => {
    const proxy = await server().proxy();
    const channel = randomUUID();
    const [subscriber, other] = [given(new Redis(proxy.url)), await connected()];
    await subscriber.subscribe(channel);
    proxy.latency(100);
    const ready = new Promise<number>((resolve, reject) => {
      subscriber.once("ready", () => other.publish(channel, "early").then(resolve, reject));
    });
    proxy.cut();
    expect(await ready).toBe(0);
    await until(async () => (await other.publish(channel, "later")) === 1);
  });

  it("ioredis 6 speaks RESP3 and drops what the server pushes to a tracking client (bus-clients.ts)", async () => {
    const [client, other] = [given(new Redis6(server().port)), await connected()];
    const heard: unknown[] = [];
    for (const event of ["message", "messageBuffer", "push", "invalidate", "error"]) {
      client.on(event, (...told: unknown[]) => heard.push(told));
    }
    const prefix = randomUUID();
    await client.call("CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", prefix);
    expect(String(await client.call("CLIENT", "INFO"))).toContain("resp=3");
    await other.set(`${prefix}:1`, "x");
    await client.ping(); // Its answer comes after the report.
    await client.ping();
    expect(heard).toEqual([]);
  });

  it("a report names several keys, or none for all keys of every database (tracking.ts)", async () => {
    const { other, reported, prefix } = await tracking("BCAST");
    await other.mset(`${prefix}:a`, "1", `${prefix}:b`, "2");
    expect(await reported()).toEqual([[`${prefix}:a`, `${prefix}:b`]]);
    await other.select(3);
    await other.flushdb();
    await other.select(0);
    expect(await reported()).toEqual([null]);
  });

  it("tracking ends with either connection, and no error says so (tracking.ts)", async () => {
    const { subscriber, tracker, other, prefix, reported } = await tracking("BCAST", "PREFIX", "");
    await reported();
    const errors: Error[] = [];
    for (const client of [subscriber, tracker]) client.on("error", (error) => errors.push(error));
    const flags = async () => String(await tracker.call("CLIENT", "TRACKINGINFO"));
    expect(await flags()).toContain("flags,on,bcast");
    await other.client("KILL", "TYPE", "pubsub");
    await subscriber.ping();
    await other.set(`${prefix}:1`, "x");
    await until(async () => (await flags()).includes("broken_redirect"));
    const id = await tracker.client("ID");
    await other.client("KILL", "ID", String(id));
    await until(async () => (await flags()).includes("flags,off"));
    expect(errors).toEqual([]);
  });

  it("in the default mode a client's own write takes the key out of the table (tracking.ts)", async () => {
    const { tracker, other, reported, prefix } = await tracking("NOLOOP");
    const key = `${prefix}:1`;
    await tracker.get(key);
    await tracker.set(key, "own");
    await other.set(key, "another's");
    expect(await reported()).toEqual([]);
    await tracker.get(key);
    await other.set(key, "another's");
    expect(await reported()).toEqual([[key]]);
  });

  it("NOLOOP leaves out a client's commands, and reports what its scripts write (own-writes.ts)", async () => {
    const { tracker, reported, prefix } = await tracking("BCAST", "NOLOOP");
    const key = `${prefix}:1`;
    await tracker.set(key, "own");
    expect(await reported()).toEqual([]);
    await tracker.eval("return redis.call('set', KEYS[1], 'own')", 1, key);
    expect(await reported()).toEqual([[key]]);
  });

  it("EXPIRE, PERSIST and GETEX count as changes, and GET does not", async () => {
    const { other, reported, prefix } = await tracking("BCAST");
    const key = `${prefix}:1`;
    await other.set(key, "x");
    await reported();
    for (const change of [
      () => other.expire(key, 100),
      () => other.persist(key),
      () => other.getex(key, "EX", 100),
    ]) {
      await change();
      expect(await reported()).toEqual([[key]]);
    }
    await other.get(key);
    expect(await reported()).toEqual([]);
  });

  it("SWAPDB is not reported, although each key may have another value", async () => {
    const { other, reported, prefix } = await tracking("BCAST");
    await other.set(`${prefix}:1`, "x");
    await reported();
    await other.swapdb(0, 7);
    await other.swapdb(0, 7);
    expect(await reported()).toEqual([]);
  });

  it("a script that reads one key tracks all keys that it declares", async () => {
    const { tracker, other, reported, prefix } = await tracking();
    const [read, declared] = [`${prefix}:read`, `${prefix}:declared`];
    await tracker.eval("return redis.call('get', KEYS[1])", 2, read, declared);
    await other.set(declared, "x");
    expect(await reported()).toEqual([[declared]]);
  });

  it("ioredis' keyPrefix does not change a plain channel", async () => {
    const channel = randomUUID();
    const [prefixed, plain] = [given(new Redis(server().port, { keyPrefix: "shop:" })), await connected()];
    await prefixed.subscribe(channel);
    expect(await plain.publish(channel, "x")).toBe(1);
    expect(await given(new Redis(server().port, { keyPrefix: "other:" })).publish(channel, "x")).toBe(1);
  });

  describe("in a Cluster", () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    });
    afterAll(() => cluster?.stop());

    it("ioredis' keyPrefix changes a sharded channel", async () => {
      const [{ port } = { port: 0 }] = cluster.nodes;
      const redisOptions = { keyPrefix: "shop:" };
      const channel = randomUUID();
      const subscriber = given(new Cluster([{ port }], { redisOptions, shardedSubscribers: true }));
      await subscriber.ssubscribe(channel);
      const plain = given(new Cluster([{ port }]));
      expect(await plain.spublish(channel, "x")).toBe(0);
      expect(await plain.spublish(`shop:${channel}`, "x")).toBe(1);
    });
  });
});
