import { startRedisCluster, startRedisSentinel } from "@cacheme/test-services";
import { describeWithGivenService, describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { redis } from "../src/index.js";
import { behindSentinels, type Together, wholeCluster } from "./several-servers.js";

describeWithServer("redis", "compliance of one server", (server) => {
  storageCompliance({
    name: "@cacheme/redis",
    create: ({ url, ...options }) => redis(url, options),
    server,
  });
});

/** Runs the suite on servers that work together, and stops them. */
function complianceOf<Servers extends { stop(): Promise<unknown> }>(
  kind: string,
  start: () => Promise<Servers>,
  asOne: (servers: Servers) => Together,
  scannedKeys?: number,
): void {
  let servers: Servers | undefined;
  afterAll(() => servers?.stop());
  const server = async () => {
    servers = await start();
    return asOne(servers);
  };
  const capabilities = { proxy: false, scannedKeys };
  storageCompliance({
    name: `@cacheme/redis, ${kind}`,
    create: ({ url, ...options }) => redis(url, options),
    server,
    capabilities,
  });
}

describeWithServer("redis", "compliance of a Cluster", () => {
  complianceOf("Cluster", startRedisCluster, wholeCluster);
});

describeWithServer("redis", "compliance of a master behind sentinels", () => {
  // A long scan is that of one server.
  complianceOf("Sentinel", startRedisSentinel, behindSentinels, 5000);
});

describeWithGivenService("redis", "compliance on the server in REDIS_URL", (service) => {
  storageCompliance({
    name: "@cacheme/redis, REDIS_URL",
    create: ({ url: _, ...options }) => redis(service().url, options),
  });
});
