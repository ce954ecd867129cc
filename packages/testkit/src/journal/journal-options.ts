import type { Journal } from "cacheme/driver";

/** The journal that the suite tests. */
export interface JournalComplianceOptions {
  /** The name in the titles of the tests. */
  readonly name: string;
  /**
   * Makes a journal, not yet connected. Journals of one place share their records; places keep
   * apart. The suite gives each test a place of its own: letters, digits and `_`, at most 20.
   */
  readonly create: (place: string) => Journal | Promise<Journal>;
}
