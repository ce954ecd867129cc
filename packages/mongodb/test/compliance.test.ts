import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { compliance } from "./compliance.js";

describeWithServer("mongodb", "compliance", (server) => {
  storageCompliance(compliance("@cacheme/mongodb", server));
});
