import { describeWithGivenService, describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { postgres } from "../src/index.js";

describeWithServer("postgres", "compliance", (server) => {
  storageCompliance({
    name: "@cacheme/postgres",
    create: ({ url, ...options }) => postgres(url, options),
    server,
  });
});

describeWithGivenService("postgres", "compliance on the server in POSTGRES_URL", (service) => {
  storageCompliance({
    name: "@cacheme/postgres, POSTGRES_URL",
    create: ({ url: _, ...options }) => postgres(service().url, options),
  });
});
