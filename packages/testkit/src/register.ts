import type { ComplianceOptions } from "./compliance-options.js";
import { ComplianceSuite } from "./suite.js";

/** The functions of a test runner. */
export interface TestRunner {
  describe(title: string, body: () => void): void;
  afterAll(act: () => Promise<void>): void;
  /** Registers a test with a time limit in milliseconds. */
  test(title: string, timeout: number, act: () => Promise<void>): void;
}

/** Registers the compliance suite for a storage with a test runner. */
export function registerSuite(options: ComplianceOptions, { describe, afterAll, test }: TestRunner): void {
  const suite = new ComplianceSuite(options);
  describe(`${suite.name} keeps the contract of storages`, () => {
    afterAll(() => suite.close());
    for (const section of suite.sections) {
      describe(section.title, () => {
        for (const one of section.cases) test(one.title, one.timeout, () => suite.run(section, one));
      });
    }
  });
}
