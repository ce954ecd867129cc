import { describeWithGivenService, describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { afterAll } from "vitest";
import { memcached } from "../src/index.js";
import { ServerPool } from "./server-pool.js";

const capabilities = {
  scan: false,
  ttlPrecision: 1000,
  // Beside bytes that are there, and for generations, the first round trip looks and the second one
  // writes.
  roundTrips: { touchMany: 2, acquire: 2, extend: 2, ensure: 2, bump: 2 },
} as const;

describeWithServer("memcached", "compliance of one server", (server) => {
  storageCompliance({
    name: "@cacheme/memcached",
    create: ({ url, ...options }) => memcached(url, options),
    server,
    capabilities,
  });
});

describeWithServer("memcached", "compliance of a pool", () => {
  let pool: ServerPool | undefined;
  afterAll(() => pool?.stop());
  storageCompliance({
    name: "@cacheme/memcached, three servers",
    create: ({ url, ...options }) => memcached(url, options),
    server: async () => {
      pool = await ServerPool.start(3);
      return pool;
    },
    capabilities,
  });
});

describeWithGivenService("memcached", "compliance on the server in MEMCACHED_URL", (service) => {
  storageCompliance({
    name: "@cacheme/memcached, MEMCACHED_URL",
    create: ({ url: _, ...options }) => memcached(service().url, options),
    capabilities,
  });
});
