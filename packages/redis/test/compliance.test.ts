import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { redis } from "../src/index.js";

describeWithServer("redis", "compliance", (server) => {
  storageCompliance({
    name: "@cacheme/redis",
    create: ({ url, ...options }) => redis(url, options),
    server,
  });
});
