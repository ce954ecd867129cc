import { describeWithSecondVersion } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { redis } from "../src/index.js";

describeWithSecondVersion("redis", "compliance of Valkey 9.1", (server) => {
  storageCompliance({
    name: "@cacheme/redis, Valkey 9.1",
    create: ({ url, ...options }) => redis(url, options),
    server,
    // Long scans behave the same in every version.
    capabilities: { scannedKeys: 5000 },
  });
});
