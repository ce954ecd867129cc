import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { postgres } from "../src/index.js";

describeWithServer("postgres", "compliance", (server) => {
  storageCompliance({
    name: "@cacheme/postgres",
    create: ({ url, ...options }) => postgres(url, options),
    server,
  });
});
