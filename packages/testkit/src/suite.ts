import type { Case, Section } from "./case.js";
import { sectionsFor } from "./compliance.js";
import type { ComplianceOptions } from "./compliance-options.js";
import { note } from "./report.js";
import { Subject, Trial } from "./subject.js";

/** The suite for one storage, for any test runner. */
export class ComplianceSuite {
  readonly name: string;
  readonly sections: readonly Section[];
  readonly #subject: Subject;

  constructor(options: ComplianceOptions) {
    this.name = options.name;
    this.sections = sectionsFor(options);
    this.#subject = new Subject(options);
  }

  /** Runs one test. Rejects if the storage fails it. */
  async run(section: Section, test: Case): Promise<void> {
    let passed = false;
    try {
      await Trial.run(this.#subject, (trial) => test.run(trial));
      passed = true;
    } finally {
      note({ storage: this.name, section: section.title, test: test.title, passed });
    }
  }

  /** Closes the storage that the tests shared. */
  close(): Promise<void> {
    return this.#subject.close();
  }
}
