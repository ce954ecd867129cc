import { flavour, type Server, type Service } from "@cacheme/test-services";
import type { ComplianceOptions } from "@cacheme/testkit";
import { mongodb } from "../src/index.js";
import { longestValue } from "../src/record.js";

/**
 * What a storage in MongoDB is held to. mongo-java-server reads its whole collection for whatever it is asked beyond keys
 * alone, so a scan of 100,000 keys is for a real mongod.
 */
export function compliance(name: string, server: () => Server): ComplianceOptions {
  return {
    name,
    create: ({ url, ...options }) => mongodb(url, options),
    server,
    capabilities: { ...capabilities, scannedKeys: flavour("mongodb") === "mongod" ? 100_000 : 5000 },
  };
}

/** The same on a server that is somebody else's. */
export function givenCompliance(service: () => Service): ComplianceOptions {
  return {
    name: "@cacheme/mongodb, MONGODB_URL",
    create: ({ url: _, ...options }) => mongodb(service().url, options),
    capabilities,
  };
}

const capabilities = {
  longestValue,
  // An update does not answer what it wrote.
  roundTrips: { acquire: 2, ensure: 2, bump: 2 },
} as const;
