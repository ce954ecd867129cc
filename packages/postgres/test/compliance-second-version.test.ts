import { describeWithSecondVersion } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { postgres } from "../src/index.js";

describeWithSecondVersion("postgres", "compliance of PostgreSQL 18", (server) => {
  storageCompliance({
    name: "@cacheme/postgres, PostgreSQL 18",
    create: ({ url, ...options }) => postgres(url, options),
    server,
    // How a long scan behaves does not change from version to version.
    capabilities: { scannedKeys: 5000 },
  });
});
