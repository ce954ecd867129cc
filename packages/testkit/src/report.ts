import { appendFileSync } from "node:fs";

/** A line of the file that the environment variable `CACHEME_COMPLIANCE_FILE` names. */
export interface ReportLine {
  /** The storage, as the suite was told its name. */
  readonly storage: string;
  readonly section: string;
  readonly test: string;
  readonly passed: boolean;
}

/**
 * Notes what a test came to, where somebody wants a report: one JSON object a line. Test processes run side by side; a
 * short line is appended in one piece.
 */
export function note(line: ReportLine): void {
  const file = process.env["CACHEME_COMPLIANCE_FILE"];
  if (file !== undefined && file !== "") appendFileSync(file, `${JSON.stringify(line)}\n`);
}
