import { describeWithServer } from "@cacheme/test-services/vitest";
import { storageCompliance } from "@cacheme/testkit/vitest";
import { vi } from "vitest";
import { compliance } from "./compliance.js";

// The storage's own import of the driver.
vi.mock("mongodb", () => import("mongodb-6"));

describeWithServer("mongodb", "compliance, with driver 6", (server) => {
  const { capabilities, ...options } = compliance("@cacheme/mongodb (driver 6)", server);
  // How a long scan behaves does not change from driver to driver.
  storageCompliance({ ...options, capabilities: { ...capabilities, scannedKeys: 5000 } });
});
