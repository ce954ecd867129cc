import type { TestRunner } from "../register.js";
import { failures } from "./failures.js";
import type { JournalComplianceOptions } from "./journal-options.js";
import { JournalTrial } from "./journal-trial.js";
import { records } from "./records.js";

/** The time limit of a test in milliseconds. */
const limit = 60_000;

/** Registers the suite for a journal with a test runner. */
export function registerJournalSuite(
  options: JournalComplianceOptions,
  { describe, test }: Pick<TestRunner, "describe" | "test">,
): void {
  describe(`${options.name} keeps the contract of journals`, () => {
    for (const [title, run] of Object.entries({ ...records, ...failures })) {
      test(title, limit, async () => {
        const trial = new JournalTrial(options);
        try {
          await run(trial);
        } finally {
          await trial.close();
        }
      });
    }
  });
}
