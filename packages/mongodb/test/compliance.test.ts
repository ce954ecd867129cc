import { describeWithGivenService, describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { compliance, givenCompliance } from "./compliance.js";

describeWithServer("mongodb", "compliance", (server) => {
  storageCompliance(compliance("@cacheme/mongodb", server));
});

describeWithGivenService("mongodb", "compliance on the server in MONGODB_URL", (service) => {
  storageCompliance(givenCompliance(service));
});
