import { appendFileSync } from "node:fs";

/** A line of the file in the environment variable `CACHEME_COMPLIANCE_FILE`. */
export interface ReportLine {
  /** The storage's name. */
  readonly storage: string;
  readonly section: string;
  readonly test: string;
  readonly passed: boolean;
}

/**
 * Appends the result of a test to the report, if there is one, as a line of JSON. Concurrent test
 * processes do not mix their lines, because a short line is appended in one piece.
 */
export function note(line: ReportLine): void {
  const file = process.env["CACHEME_COMPLIANCE_FILE"];
  if (file !== undefined && file !== "") appendFileSync(file, `${JSON.stringify(line)}\n`);
}
