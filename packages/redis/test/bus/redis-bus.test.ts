import { randomUUID } from "node:crypto";
import {
  type RedisCluster,
  type RedisSentinel,
  startRedisCluster,
  startRedisSentinel,
} from "@cacheme/test-services";
import {
  expectGivenUp,
  member,
  refused,
  testBusTrouble,
  untilHeard,
} from "@cacheme/test-services/bus/bus-trouble-tests";
import { joined } from "@cacheme/test-services/bus/receiver";
import { until } from "@cacheme/test-services/network/cleanup";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { Cacheme } from "cacheme";
import { Cluster, Redis } from "ioredis";
import { Redis as Redis56 } from "ioredis-5.6";
import { Redis as Redis6 } from "ioredis-6";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redis, redisBus } from "../../src/index.js";
import { cleanupWithClients } from "../given-clients.js";
import { asked } from "../several-servers.js";

const quick = { commandTimeout: 500, connectTimeout: 1000 } as const;

const { given, closing } = cleanupWithClients();

describeWithServer("redis", "redisBus()", (server) => {
  const channel = () => ({ ...quick, channel: randomUUID() });

  describe.each<[string, () => Parameters<typeof redisBus>[0]]>([
    ["an address", () => server().url],
    ["options of ioredis", () => ({ port: server().port, keyPrefix: "shop:" })],
    ["a client of ioredis 5", () => given(new Redis(server().port, { keyPrefix: "shop:" }))],
    ["a client of ioredis 5.6", () => given(new Redis56(server().port))],
    ["a client of ioredis 6", () => given(new Redis6(server().port))],
    ["a storage", () => closing(redis(server().url))],
  ])("over %s", (_, target) => {
    it("brings each message to every receiver, the sender included", async () => {
      const options = channel();
      const [one, other] = [
        await member(redisBus(target(), options), closing),
        await member(redisBus(target(), options), closing),
      ];
      await one.connection.publish(["a", "ü", "c"]);
      await other.connection.publish(["d"]);
      await until(() => one.recorder.reports.length === 5 && other.recorder.reports.length === 5);
      expect(one.recorder.reports).toEqual(["subscribed", "a", "ü", "c", "d"]);
      expect(other.recorder.reports).toEqual(["subscribed", "a", "ü", "c", "d"]);
    });

    it("subscribes again after its connections were killed, and misses nothing from then on", async () => {
      const options = channel();
      const { recorder, connection } = await member(redisBus(target(), options), closing);
      const sender = given(new Redis(server().port));
      let expected = 0;
      recorder.reported = (report) => {
        // A message that is published after the report arrives, however soon.
        if (report === "subscribed") void sender.publish(options.channel, `after ${++expected}`);
      };
      for (let time = 1; time <= 5; time++) {
        await asked(server().port, "client", "kill", "type", "pubsub");
        await until(() => recorder.reports.includes(`after ${time}`));
      }
      expect(recorder.count("subscribed")).toBe(6);
      expect(recorder.count("lost")).toBe(5);
      await connection.publish(["still"]);
      await until(() => recorder.reports.includes("still"));
    });
  });

  testBusTrouble({ server, bus: (url, more) => redisBus(url, { ...channel(), ...more }), closing });

  it("gives a message up in time if the server hangs, and comes back by itself", async () => {
    const { recorder, connection } = await member(redisBus(server().url, channel()), closing);
    await server().pause();
    await expectGivenUp(connection);
    await server().resume();
    await untilHeard({ recorder, connection }, "b");
  });

  it("connects again when it is told that it is deaf", async () => {
    const { recorder, connection } = await member(redisBus(server().url, channel()), closing);
    connection.restart(new Error("deaf"));
    await until(() => recorder.count("subscribed") === 2);
    expect(recorder.reports).toEqual(["subscribed", expect.stringContaining("lost: "), "subscribed"]);
  });

  it("is noticed by its heartbeats if the network drops all bytes, and comes back", async () => {
    const proxy = await server().proxy();
    const cacheme = closing(new Cacheme());
    await cacheme.registerBus(redisBus(proxy.url, channel()), { heartbeat: "100ms" });
    const states: string[] = [];
    cacheme.on("busState", ({ state, error }) => states.push(`${state} ${error?.message ?? ""}`));
    proxy.partition();
    await until(() => cacheme.busStatus()?.state === "lost");
    await proxy.heal();
    await until(() => cacheme.busStatus()?.state === "subscribed");
    expect(states[0]).toContain("no message of this process has come back");
    expect(states.at(-1)).toBe("subscribed ");
  });

  it("reports nothing after close, and closes no client of the program", async () => {
    const client = given(new Redis(server().port));
    const options = channel();
    const { recorder, connection } = await joined(redisBus(client, options));
    await connection.close();
    await client.publish(options.channel, "late");
    expect(await client.ping()).toBe("PONG");
    expect(recorder.reports).toEqual(["subscribed"]);
  });

  it("notices that the server has cut it off for being 32 MB behind, which is no error event", async () => {
    const options = channel();
    const { recorder } = await member(redisBus(server().url, options), closing);
    const sender = given(new Redis(server().port));
    const plain = given(new Redis(server().port, { retryStrategy: () => null }));
    const errors: Error[] = [];
    plain.on("error", (error) => errors.push(error));
    const ended = new Promise((resolve) => plain.on("end", resolve));
    await plain.subscribe(options.channel);
    await sender.publish(options.channel, Buffer.alloc(33 << 20, "x"));
    await ended;
    await until(() => recorder.count("subscribed") === 2);
    expect(recorder.reports).toEqual(["subscribed", expect.stringContaining("lost: "), "subscribed"]);
    expect(errors).toEqual([]);
  });

  it("says why it cannot be used", async () => {
    const proxy = await server().proxy();
    await proxy.refuse();
    expect(await refused(redisBus(proxy.url, quick))).toMatchObject({
      code: "CACHEME_CONNECT_FAILED",
      message: expect.stringContaining(`redis://127.0.0.1:${proxy.port}`),
    });
    const user = randomUUID();
    await asked(server().port, "acl", "setuser", user, "on", ">secret", "+@all", "resetchannels", "~*");
    expect(await refused(redisBus(`redis://${user}:secret@127.0.0.1:${server().port}`, quick))).toMatchObject(
      {
        code: "CACHEME_CONNECT_REFUSED",
        message: expect.stringContaining("NOPERM"),
      },
    );
    expect(await refused(redisBus(`redis://${user}:wrong@127.0.0.1:${server().port}`, quick))).toMatchObject({
      code: "CACHEME_CONNECT_REFUSED",
      message: expect.not.stringContaining("wrong@"),
    });
  });

  it.each<[string, () => unknown, string]>([
    ["an unknown option", () => redisBus("redis://a", { chanel: "x" } as never), 'has no option "chanel"'],
    ["an empty channel", () => redisBus("redis://a", { channel: "" }), "channel"],
    ["another mode", () => redisBus("redis://a", { mode: "push" as never }), '"messages" or "tracking"'],
    ["a number", () => redisBus(7 as never), "redis() was given 7"],
    ["tracking without a storage", () => redisBus("redis://a", { mode: "tracking" }), "redis() has made"],
    [
      "tracking in a Cluster",
      () => redisBus(redis("redis+cluster://a:1"), { mode: "tracking" }),
      "whose nodes report only their own keys",
    ],
  ])("refuses %s", (_, make, message) => {
    expect(make).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION", message: expect.stringContaining(message) }),
    );
  });

  describe("over several servers", () => {
    let cluster: RedisCluster;
    let group: RedisSentinel;
    beforeAll(async () => {
      [cluster, group] = await Promise.all([startRedisCluster(), startRedisSentinel()]);
    });
    afterAll(async () => {
      await Promise.all([cluster?.stop(), group?.stop()]);
    });

    it("hears in a Cluster what other nodes are told, although they answer 0", async () => {
      const options = channel();
      const url = cluster.url.replace(/^redis:/, "redis+cluster:");
      const { recorder, connection } = await member(redisBus(url, options), closing);
      const [first] = cluster.nodes;
      const client = given(new Cluster([{ port: first!.port }]));
      const other = await member(redisBus(client, options), closing);
      const answers: number[] = [];
      for (const { port } of cluster.nodes) {
        answers.push(Number(await asked(port, "publish", options.channel, `from ${port}`)));
      }
      expect(answers).toContain(0);
      await connection.publish(["own"]);
      await other.connection.publish(["other"]);
      const expected = [...cluster.nodes.map(({ port }) => `from ${port}`), "own", "other"];
      for (const one of [recorder, other.recorder]) {
        await until(() => expected.every((text) => one.reports.includes(text)));
      }
    });

    it("goes on at another node of a Cluster", async () => {
      const url = cluster.url.replace(/^redis:/, "redis+cluster:");
      const { recorder, connection } = await member(redisBus(url, channel()), closing);
      await cluster.nodes[0]!.kill();
      await until(() => recorder.count("subscribed") === 2);
      await untilHeard({ recorder, connection }, "b");
      await cluster.nodes[0]!.restart();
    });

    it("follows a master behind sentinels", { timeout: 20_000 }, async () => {
      const sentinels = group.sentinels.map(({ port }) => ({ host: "127.0.0.1", port }));
      const client = given(new Redis({ sentinels, name: "mymaster" }));
      const options = channel();
      const members = [
        await member(redisBus(group.url, options), closing),
        await member(redisBus(client, options), closing),
      ];
      await group.master.kill();
      for (const { recorder } of members) await until(() => recorder.count("subscribed") === 2);
      for (const [index, { connection }] of members.entries()) {
        await until(async () => {
          await connection.publish([`from ${index}`]);
          return members.every(({ recorder }) => recorder.reports.includes(`from ${index}`));
        });
      }
    });
  });
});
