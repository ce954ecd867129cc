import type { Duration } from "../../duration.js";
import { checkList } from "../../node/checked-list.js";
import { optionError, shown, timerMilliseconds } from "../../option-checks.js";
import type { BehindWriter } from "./behind-writer.js";

/** A saved value that was set aside, because its source does not take it. */
export interface DeadLetter {
  /** Names the value: the key of its node's entry, without the version. */
  readonly id: string;
  /** The name and version of the node class, such as `user:1`. */
  readonly node: string;
  /** The attempts to write it. */
  readonly attempts: number;
  /** The message of the last error. */
  readonly reason: string;
  /** The time when it was set aside, in milliseconds since the epoch, on the journal's clock. */
  readonly at: number;
  /** The value; `undefined` if its class was not used in this process, or cannot read it. */
  readonly value: unknown;
}

/** The state of a journal. */
export interface JournalStatus {
  /** The values that are not in their source yet, without dead letters. */
  readonly unsaved: number;
  readonly deadLetters: number;
  /** The unsaved values of classes that this process has not used. They wait. */
  readonly waiting: readonly { readonly node: string; readonly unsaved: number }[];
  /** The last failure of a call to the journal; `undefined` if the last call has succeeded. */
  readonly lastError: Error | undefined;
}

/** The values that a flush did not bring into their sources. */
export interface FlushResult {
  /** The values that are not in their source yet, without dead letters. */
  readonly unsaved: number;
  readonly deadLetters: number;
}

/** A journal that is registered under a name. */
export class RegisteredJournal {
  readonly #writer: BehindWriter;

  /** @internal */
  constructor(writer: BehindWriter) {
    this.#writer = writer;
  }

  get name(): string {
    return this.#writer.journal;
  }

  /** @throws SaveError `CACHEME_JOURNAL_FAILED` if the journal cannot be reached */
  async status(): Promise<JournalStatus> {
    const counts = await this.#writer.counts();
    return {
      unsaved: sumOf(counts, "unsaved"),
      deadLetters: sumOf(counts, "deadLetters"),
      waiting: this.#writer.flusher.unknown.map(({ node, unsaved }) => ({ node, unsaved })),
      lastError: this.#writer.calls.lastError,
    };
  }

  /**
   * Writes the unsaved values into their sources, without waiting for newer ones. Resolves when
   * the journal is empty or the timeout has passed, and returns the values that are left.
   *
   * @param timeout the longest time. Default: 10 seconds
   * @throws ConfigurationError `CACHEME_INVALID_DURATION`; SaveError `CACHEME_JOURNAL_FAILED` if the journal cannot be reached
   */
  async flush(timeout: Duration = "10s"): Promise<FlushResult> {
    await this.#writer.flusher.drain(timerMilliseconds(timeout, "timeout of journal.flush()"));
    const { unsaved, deadLetters } = await this.status();
    return { unsaved, deadLetters };
  }

  /**
   * Returns dead letters, the oldest first.
   *
   * @param limit the most. Default: 100
   * @throws ConfigurationError `CACHEME_INVALID_OPTION` unless the limit is a whole number from 1 on;
   *   SaveError `CACHEME_JOURNAL_FAILED`
   */
  async deadLetters(limit: number = 100): Promise<readonly DeadLetter[]> {
    if (!Number.isInteger(limit) || limit < 1) {
      throw optionError(
        `The limit of journal.deadLetters() is ${shown(limit)}. Give a whole number from 1 on, or nothing for 100.`,
      );
    }
    const letters = await this.#writer.calls.make("list", (journal) => journal.deadLetters(limit));
    return letters.map(({ key, node, attempts, reason, at, bytes }) => {
      const value = this.#writer.valueIn(node, key, bytes);
      return { id: key, node, attempts, reason, at, value };
    });
  }

  /**
   * Writes dead letters again, with as many attempts as at first.
   *
   * @returns the number of those that were still dead letters
   * @throws SaveError `CACHEME_JOURNAL_FAILED`
   */
  async requeue(letters: readonly Pick<DeadLetter, "id">[]): Promise<number> {
    checkList("requeue", letters);
    const ids = letters.map(({ id }) => id);
    const count = await this.#writer.calls.make("requeue", (journal) => journal.requeue(ids));
    this.#writer.flusher.schedule(0);
    return count;
  }

  /**
   * Drops dead letters. Their values are lost.
   *
   * @returns the number of those that were still dead letters
   * @throws SaveError `CACHEME_JOURNAL_FAILED`
   */
  async drop(letters: readonly Pick<DeadLetter, "id">[]): Promise<number> {
    checkList("drop", letters);
    const ids = letters.map(({ id }) => id);
    return await this.#writer.calls.make("drop", (journal) => journal.drop(ids));
  }
}

function sumOf<K extends string>(counts: readonly Readonly<Record<K, number>>[], name: K): number {
  return counts.reduce((sum, count) => sum + count[name], 0);
}
