import {
  type RedisCluster,
  type RedisSentinel,
  type Server,
  startRedisCluster,
  startRedisSentinel,
} from "@cacheme/test-services";
import { until } from "@cacheme/test-services/network/cleanup";
import { itSurvives, itSurvivesTrouble } from "@cacheme/test-services/network/trouble-tests";
import { describeWithServer } from "@cacheme/test-services/vitest";
import * as cacheme from "cacheme";
import { afterAll, beforeAll, describe } from "vitest";
import { redis } from "../src/index.js";
import { asked } from "./several-servers.js";

describeWithServer("redis", "two programs and servers in trouble", (server) => {
  itSurvivesTrouble(server, cacheme, () => redis(server().url));

  describe("with a Cluster", () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster();
    });
    afterAll(() => cluster?.stop());

    itSurvives(
      {
        name: "a master of the Cluster is killed, and its replica takes over",
        keepsRemovals: false,
        async inflict() {
          const masters = await mastersAmong(cluster.nodes);
          const [victim] = masters;
          await victim?.kill();
          const others = cluster.nodes.filter((node) => node !== victim);
          await until(async () => (await mastersAmong(others)).length === masters.length);
        },
      },
      cacheme,
      () => redis(cluster.url),
    );
  });

  describe("behind sentinels", () => {
    let group: RedisSentinel;
    beforeAll(async () => {
      group = await startRedisSentinel();
    });
    afterAll(() => group?.stop());

    itSurvives(
      {
        name: "the master is killed, and a replica takes over",
        keepsRemovals: false,
        async inflict() {
          const [sentinel] = group.sentinels;
          await group.master.kill();
          if (sentinel === undefined) return;
          const address = () => asked(sentinel.port, "sentinel", "get-master-addr-by-name", "mymaster");
          await until(async () => !(await address()).includes(`${group.master.port}`));
        },
      },
      cacheme,
      () => redis(group.url),
    );
  });
});

async function mastersAmong(nodes: readonly Server[]): Promise<readonly Server[]> {
  const roles = await Promise.all(nodes.map(({ port }) => asked(port, "role")));
  return nodes.filter((_, place) => roles[place]?.startsWith("master"));
}
