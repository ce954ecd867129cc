import { after, describe, it } from "node:test";
import type { ComplianceOptions } from "./compliance-options.js";
import type { JournalComplianceOptions } from "./journal/journal-options.js";
import { registerJournalSuite } from "./journal/journal-suite.js";
import { registerSuite } from "./register.js";

export type { Capabilities, RoundTrips } from "./capabilities.js";
export type { ComplianceOptions, CreateOptions } from "./compliance-options.js";
export type { ComplianceProxy, ComplianceServer } from "./compliance-server.js";
export type { JournalComplianceOptions } from "./journal/journal-options.js";

/**
 * Registers the compliance suite for a storage with `node:test`. Call it in a test file, at the top
 * level or in a `describe`.
 *
 * @example
 * ```ts
 * storageCompliance({
 *   name: "couch",
 *   create: ({ url, ...options }) => couch(url, options),
 *   server: () => startCouch(),
 *   capabilities: { generations: false },
 * });
 * ```
 */
export function storageCompliance(options: ComplianceOptions): void {
  registerSuite(options, {
    describe,
    afterAll: after,
    test: (title, timeout, act) => it(title, { timeout }, act),
  });
}

/**
 * Registers the compliance suite for a journal with `node:test`. Call it in a test file, at the top
 * level or in a `describe`.
 *
 * @example
 * ```ts
 * journalCompliance({ name: "couchJournal", create: (place) => couchJournal(url, { place }) });
 * ```
 */
export function journalCompliance(options: JournalComplianceOptions): void {
  registerJournalSuite(options, {
    describe,
    test: (title, timeout, act) => it(title, { timeout }, act),
  });
}
