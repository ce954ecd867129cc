import { randomBytes } from "node:crypto";
import { systemClock } from "cacheme";
import type { ClaimRequest, Journal, JournalRecord } from "cacheme/driver";
import type { JournalComplianceOptions } from "./journal-options.js";

/** The class of the suite's records. */
export const node: string = "user:1";

/** Creates a record with a string as its value. */
export function entry(key: string, text: string, ofNode: string = node): JournalRecord {
  return { key, node: ofNode, bytes: Buffer.from(text) };
}

/** Returns values as strings. */
export function texts(values: readonly (Uint8Array | undefined)[]): (string | undefined)[] {
  return values.map((bytes) => bytes && Buffer.from(bytes).toString());
}

/** A claim of everything that is due. */
export const everything: ClaimRequest = { nodes: [node], count: 1_000, duration: 60_000, ahead: 0 };

/** The journals of one test, all of one place. */
export class JournalTrial {
  readonly #options: JournalComplianceOptions;
  readonly #place = `t${randomBytes(6).toString("hex")}`;
  readonly #journals: Journal[] = [];

  constructor(options: JournalComplianceOptions) {
    this.#options = options;
  }

  /** Makes a connected journal on the test's place. */
  async journal(): Promise<Journal> {
    const journal = await this.#options.create(this.#place);
    this.#journals.push(journal);
    await journal.connect(systemClock);
    return journal;
  }

  async close(): Promise<void> {
    for (const journal of this.#journals) await journal.close();
  }
}
