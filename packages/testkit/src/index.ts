export { type Capabilities, largestTried, type RoundTrips } from "./capabilities.js";
export type { Case, Section } from "./case.js";
export { columns } from "./compliance.js";
export type { ComplianceOptions, CreateOptions } from "./compliance-options.js";
export type { ComplianceProxy, ComplianceServer } from "./compliance-server.js";
export type { ReportLine } from "./report.js";
export { ComplianceSuite } from "./suite.js";
