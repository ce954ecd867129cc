import type { Trial } from "./subject.js";

/** One test of the suite. */
export interface Case {
  /** The rest of a sentence about the storage: "reads in the order of the keys". */
  readonly title: string;
  /** The time limit in milliseconds. */
  readonly timeout: number;
  run(trial: Trial): Promise<void>;
}

/** The tests of one aspect of a storage: a column of the report. */
export interface Section {
  readonly title: string;
  readonly cases: readonly Case[];
}

const usual = 60_000;

/** Creates a section from its tests: a record of titles and functions. */
export function section(
  title: string,
  tests: Readonly<Record<string, Case["run"]>>,
  timeout: number = usual,
): Section {
  const cases = Object.entries(tests).map(([name, run]) => ({ title: name, timeout, run }));
  return { title, cases };
}
