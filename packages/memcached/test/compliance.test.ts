import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { memcached } from "../src/index.js";

describeWithServer("memcached", "compliance of one server", (server) => {
  storageCompliance({
    name: "@cacheme/memcached",
    create: ({ url, ...options }) => memcached(url, options),
    server,
    // Beside bytes that are there, and for generations, the first round trip looks and the second one writes.
    capabilities: { scan: false, ttlPrecision: 1000, roundTrips: { acquire: 2, ensure: 2, bump: 2 } },
  });
});
