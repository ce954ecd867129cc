import { type RedisCluster, startRedisCluster } from "@cacheme/test-services";
import { describeWithServer } from "@cacheme/test-services/vitest";
import { ComplianceSuite } from "@cacheme/testkit";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll, describe, it } from "vitest";
import { glide } from "../src/index.js";
import { addressOf, wholeCluster } from "./servers.js";

/** The one test that GLIDE 2.5 makes impossible. network.test.ts says what holds instead. */
const impossible = "closes each connection that it has given up";

describeWithServer("redis", "compliance of one server", (server) => {
  const suite = new ComplianceSuite({
    name: "@cacheme/glide",
    create: ({ url, ...options }) => glide(addressOf(url), options),
    server,
  });
  afterAll(() => suite.close());
  for (const section of suite.sections) {
    const possible = section.cases.filter(({ title }) => title !== impossible);
    describe(section.title, () => {
      for (const test of possible) it(test.title, () => suite.run(section, test), test.timeout);
    });
  }
});

describeWithServer("redis", "compliance of a cluster", () => {
  let cluster: RedisCluster | undefined;
  afterAll(() => cluster?.stop());
  storageCompliance({
    name: "@cacheme/glide, cluster",
    create: ({ url, ...options }) => glide(url, options),
    server: async () => {
      cluster = await startRedisCluster();
      return wholeCluster(cluster);
    },
    capabilities: { proxy: false },
  });
});
