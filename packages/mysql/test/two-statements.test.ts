import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { vi } from "vitest";
import { mysql } from "../src/index.js";

/**
 * MySQL has no RETURNING. MariaDB takes every statement that the storage then sends, so that way is
 * tried without a MySQL, too.
 */
vi.mock(import("../src/server.js"), async (load) => {
  const server = await load();
  return {
    ...server,
    serverOf: async (...given) => ({ ...(await server.serverOf(...given)), returns: false }),
  };
});

describeWithServer("mysql", "compliance without RETURNING", (server) => {
  storageCompliance({
    name: "@cacheme/mysql, without RETURNING",
    create: ({ url, ...options }) => mysql(url, options),
    server,
    capabilities: { roundTrips: { acquire: 2, ensure: 2, bump: 2 } },
  });
});
