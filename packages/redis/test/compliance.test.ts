import {
  type RedisCluster,
  type RedisSentinel,
  startRedisCluster,
  startRedisSentinel,
} from "@cacheme/test-services";
import { describeWithGivenService, describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { redis } from "../src/index.js";
import { behindSentinels, wholeCluster } from "./several-servers.js";

describeWithServer("redis", "compliance of one server", (server) => {
  storageCompliance({
    name: "@cacheme/redis",
    create: ({ url, ...options }) => redis(url, options),
    server,
  });
});

describeWithServer("redis", "compliance of a Cluster", () => {
  let cluster: RedisCluster | undefined;
  afterAll(() => cluster?.stop());
  storageCompliance({
    name: "@cacheme/redis, Cluster",
    create: ({ url, ...options }) => redis(url, options),
    server: async () => {
      cluster = await startRedisCluster();
      return wholeCluster(cluster);
    },
    capabilities: { proxy: false },
  });
});

describeWithServer("redis", "compliance of a master behind sentinels", () => {
  let group: RedisSentinel | undefined;
  afterAll(() => group?.stop());
  storageCompliance({
    name: "@cacheme/redis, Sentinel",
    create: ({ url, ...options }) => redis(url, options),
    server: async () => {
      group = await startRedisSentinel();
      return behindSentinels(group);
    },
    capabilities: { proxy: false },
  });
});

describeWithGivenService("redis", "compliance on the server in REDIS_URL", (service) => {
  storageCompliance({
    name: "@cacheme/redis, REDIS_URL",
    create: ({ url: _, ...options }) => redis(service().url, options),
  });
});
