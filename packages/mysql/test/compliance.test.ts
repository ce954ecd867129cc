import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { mysql } from "../src/index.js";

describeWithServer("mysql", "compliance", (server) => {
  storageCompliance({
    name: "@cacheme/mysql",
    create: ({ url, ...options }) => mysql(url, options),
    server,
  });
});
