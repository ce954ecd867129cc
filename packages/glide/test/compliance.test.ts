import { type RedisCluster, type Server, startRedisCluster } from "@cacheme/test-services";
import { describeWithSecondVersion, describeWithServer } from "@cacheme/test-services/vitest";
import { ComplianceSuite } from "@cacheme/testkit";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll, describe, it } from "vitest";
import { glide } from "../src/index.js";
import { addressOf, wholeCluster } from "./servers.js";

/** The one test that GLIDE 2.5 makes impossible. network.test.ts says what holds instead. */
const impossible = "closes each connection that it has given up";

function compliance(name: string, server: () => Server, scannedKeys: number): void {
  const suite = new ComplianceSuite({
    name,
    create: ({ url, ...options }) => glide(addressOf(url), options),
    server,
    capabilities: { scannedKeys },
  });
  afterAll(() => suite.close());
  for (const section of suite.sections) {
    const possible = section.cases.filter(({ title }) => title !== impossible);
    describe(section.title, () => {
      for (const test of possible) it(test.title, () => suite.run(section, test), test.timeout);
    });
  }
}

describeWithServer("redis", "compliance of one server", (server) => {
  compliance("@cacheme/glide", server, 100_000);
});

describeWithSecondVersion("redis", "compliance of Valkey 9.1", (server) => {
  // Long scans behave the same in every version.
  compliance("@cacheme/glide, Valkey 9.1", server, 5000);
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
