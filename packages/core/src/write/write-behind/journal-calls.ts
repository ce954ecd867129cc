import type { Clock } from "../../clock.js";
import { asError, SaveError, sentence } from "../../errors.js";
import type { Events, JournalOperation } from "../../events.js";
import type { Journal } from "../../journal/journal.js";

/** The calls to one journal, each with a deadline. A failure is reported. */
export class JournalCalls {
  readonly name: string;
  readonly journal: Journal;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #deadline: number;
  /** The last failure; `undefined` if the last call has succeeded. */
  lastError: Error | undefined;

  constructor(name: string, journal: Journal, clock: Clock, events: Events, deadline: number) {
    this.name = name;
    this.journal = journal;
    this.#clock = clock;
    this.#events = events;
    this.#deadline = deadline;
  }

  /**
   * Makes a call.
   *
   * @param ended called when the call itself has settled, perhaps after its deadline
   * @throws SaveError `CACHEME_JOURNAL_FAILED`
   */
  async make<T>(
    operation: JournalOperation,
    call: (journal: Journal) => Promise<T>,
    ended: () => void = nothing,
  ): Promise<T> {
    const running = (async () => await call(this.journal))();
    running.then(ended, ended);
    try {
      const answer = await this.#within(running);
      this.lastError = undefined;
      return answer;
    } catch (thrown) {
      const cause = asError(thrown);
      const error = new SaveError(
        "CACHEME_JOURNAL_FAILED",
        `The journal "${this.name}" (${this.journal.label}) failed to ${operation}: ${sentence(cause.message)} ` +
          "Look at the journal's server or file; Cacheme goes on when it answers again.",
        { cause },
      );
      this.lastError = error;
      if (this.#events.listeners.journalError !== null)
        this.#events.emit("journalError", { journal: this.name, operation, error });
      throw error;
    }
  }

  #within<T>(running: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const late = () => reject(new Error(`no answer came within ${this.#deadline} ms`));
      const cancel = this.#clock.schedule(late, this.#deadline, { keepsAlive: true });
      running.then(resolve, reject).finally(cancel);
    });
  }
}

function nothing(): void {}
