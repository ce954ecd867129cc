import type { Trial } from "./subject.js";

/** One test of the suite. */
export interface Case {
  /** A sentence that goes on from the storage: "reads in the order that was asked for". */
  readonly title: string;
  /** Milliseconds after which the test has failed. */
  readonly timeout: number;
  run(trial: Trial): Promise<void>;
}

/** Tests of one thing that a storage does: a column of the report. */
export interface Section {
  readonly title: string;
  readonly cases: readonly Case[];
}

const usual = 60_000;

/** Puts a section together from its tests: title and body in turn. */
export function section(
  title: string,
  tests: Readonly<Record<string, Case["run"]>>,
  timeout: number = usual,
): Section {
  const cases = Object.entries(tests).map(([name, run]) => ({ title: name, timeout, run }));
  return { title, cases };
}
