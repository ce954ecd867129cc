import { afterAll, beforeAll, expect, it } from "vitest";
import { type RedisCluster, startRedisCluster } from "../src/run/redis-cluster.js";
import { redisCommand, untilRedis } from "../src/run/redis-command.js";
import { describeWithServer } from "../src/vitest.js";
import { agreement } from "./agreement.js";
import { ask } from "./conversation.js";
import { hold, isReserved } from "./held.js";

describeWithServer("redis", "a Redis Cluster", () => {
  let cluster: RedisCluster;
  const port = (index: number): number => cluster.nodes[index]?.port ?? 0;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  });
  afterAll(() => cluster?.stop());

  it("serves all slots with three masters and a replica for each", async () => {
    const info = await redisCommand(port(0), "CLUSTER INFO");
    expect(info).toContain("cluster_slots_ok:16384");
    expect(info).toContain("cluster_size:3");
    const roles = await Promise.all(
      [0, 1, 2, 3, 4, 5].map((index) => redisCommand(port(index), "INFO replication")),
    );
    expect(roles.map((role) => /role:(\w+)/.exec(role)?.[1])).toEqual([
      ...["master", "master", "master", "slave", "slave", "slave"],
    ]);
    expect(cluster.url).toBe(
      `redis+cluster://${cluster.nodes.map(({ port }) => `127.0.0.1:${port}`).join(",")}`,
    );
  });

  it(
    "promotes the replica of a killed master, and takes the old master back as a replica",
    agreement,
    async () => {
      await cluster.nodes[0]?.kill();
      await untilRedis([port(3)], "INFO replication", /role:master/);
      await cluster.nodes[0]?.restart();
      await untilRedis([port(0)], "INFO replication", /master_link_status:up/);
      expect(await redisCommand(port(0), "INFO replication")).toContain("role:slave");
    },
  );

  it("starts as before Redis 7, with the bus on the node's port plus 10,000", agreement, async () => {
    const old = await startRedisCluster({ choosesBus: false });
    try {
      expect(await redisCommand(old.nodes[0]?.port ?? 0, "CLUSTER INFO")).toContain("cluster_slots_ok:16384");
      for (const { port } of old.nodes) {
        expect(await redisCommand(port, "CLUSTER NODES")).toContain(`127.0.0.1:${port}@${port + 10_000}`);
      }
    } finally {
      await old.stop();
    }
  });

  it("does not outlive a killed test process, and releases the ports of its bus", agreement, async () => {
    const holder = await hold("cluster");
    const settings = await Promise.all(holder.ports.map((node) => ask(node, "CONFIG GET cluster-port")));
    const buses = settings.map((setting) => Number(setting.split("\r\n").at(-1)));
    expect(holder.ports).toHaveLength(6);
    expect(buses.every(isReserved)).toBe(true);
    await holder.kill([...holder.ports, ...buses]);
    const answers = await Promise.all(holder.ports.map((node) => ask(node, "PING")));
    expect(new Set(answers)).toEqual(new Set(["closed"]));
  });
});
