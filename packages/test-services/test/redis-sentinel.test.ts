import { afterAll, beforeAll, expect, it } from "vitest";
import { redisCommand, untilRedis } from "../src/run/redis-command.js";
import { type RedisSentinel, startRedisSentinel } from "../src/run/redis-sentinel.js";
import { describeWithServer } from "../src/vitest.js";
import { agreement } from "./agreement.js";
import { ask } from "./conversation.js";
import { describeHeld } from "./held.js";

describeWithServer("redis", "a Redis master with its sentinels", () => {
  let group: RedisSentinel;
  beforeAll(async () => {
    group = await startRedisSentinel();
  });
  afterAll(() => group?.stop());

  it("has a master with two replicas, which three sentinels know by name", async () => {
    const info = await redisCommand(group.master.port, "INFO replication");
    expect(info).toContain("role:master");
    expect(info).toContain("connected_slaves:2");
    const ports = group.sentinels.map(({ port }) => port);
    expect(group.url).toBe(`redis+sentinel://${ports.map((port) => `127.0.0.1:${port}`).join(",")}/mymaster`);
    for (const port of ports) {
      expect(await redisCommand(port, "SENTINEL CKQUORUM mymaster")).toContain("3 usable Sentinels");
    }
  });

  it("promotes a replica with the old master's data when the master is killed", agreement, async () => {
    const { master, replicas, sentinels } = group;
    const watcher = sentinels[0]?.port ?? 0;
    await redisCommand(master.port, "SET key kept");
    await untilRedis(
      replicas.map(({ port }) => port),
      "EXISTS key",
      /1/,
    );
    await master.kill();
    const promoted = replicas.map(({ port }) => `address=127.0.0.1:${port}`).join("|");
    await untilRedis([watcher], "INFO sentinel", new RegExp(promoted));
    const address = /address=127\.0\.0\.1:(\d+)/.exec(await redisCommand(watcher, "INFO sentinel"));
    expect(await redisCommand(Number(address?.[1]), "GET key")).toBe("kept");
  });

  it(
    "makes the old master a replica when it comes back, and keeps that role after a restart",
    agreement,
    async () => {
      const { master } = group;
      await master.restart();
      await untilRedis([master.port], "INFO replication", /role:slave(.|\r\n)*master_link_status:up/);
      await master.restart();
      expect(await redisCommand(master.port, "INFO replication")).toContain("role:slave");
    },
  );
});

describeHeld("redis", "a group of sentinels that another test process started", "sentinel", (held) => {
  it("does not outlive that process when it is killed", async () => {
    const { ports, kill } = held();
    expect(ports).toHaveLength(6);
    await kill(ports);
    const answers = await Promise.all(ports.map((node) => ask(node, "PING")));
    expect(new Set(answers)).toEqual(new Set(["closed"]));
  });
});
