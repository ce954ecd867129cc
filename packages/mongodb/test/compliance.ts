import { flavour, type Server, type Service } from "@cacheme/test-services";
import type { ComplianceOptions } from "@cacheme/testkit";
import { mongodb } from "../src/index.js";
import { longestValue } from "../src/record.js";

/**
 * Returns the options of the compliance suite. mongo-java-server reads its whole collection for
 * everything but keys, so only a real mongod scans 100,000 keys.
 */
export function compliance(name: string, server: () => Server): ComplianceOptions {
  return {
    name,
    create: ({ url, ...options }) => mongodb(url, options),
    server,
    capabilities: { ...capabilities, scannedKeys: flavour("mongodb") === "mongod" ? 100_000 : 5000 },
  };
}

/** Returns the same options for a server of somebody else. */
export function givenCompliance(service: () => Service): ComplianceOptions {
  return {
    name: "@cacheme/mongodb, MONGODB_URL",
    create: ({ url: _, ...options }) => mongodb(service().url, options),
    capabilities,
  };
}

const capabilities = {
  longestValue,
  // An update does not answer what it wrote. A touch reads records and the clock at once.
  roundTrips: { touchMany: 3, acquire: 2, ensure: 2, bump: 2 },
} as const;
