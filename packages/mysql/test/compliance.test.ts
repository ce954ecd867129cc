import { describeWithGivenService, describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { mysql } from "../src/index.js";

describeWithServer("mysql", "compliance", (server) => {
  storageCompliance({
    name: "@cacheme/mysql",
    create: ({ url, ...options }) => mysql(url, options),
    server,
  });
});

describeWithGivenService("mysql", "compliance on the server in MYSQL_URL", (service) => {
  storageCompliance({
    name: "@cacheme/mysql, MYSQL_URL",
    create: ({ url: _, ...options }) => mysql(service().url, options),
  });
});
