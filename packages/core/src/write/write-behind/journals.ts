import { asError, ConfigurationError, isError, StorageError, sentence } from "../../errors.js";
import type { Journal } from "../../journal/journal.js";
import type { ClassRuntime } from "../../runtime/class-runtime.js";
import { sharedState } from "../../shared-state.js";
import { BehindWriter, type JournalsEnvironment } from "./behind-writer.js";
import { checkJournal, journalSettings, type RegisterJournalOptions } from "./journal-options.js";
import { RegisteredJournal } from "./registered-journal.js";

/** The journals of one space, by name. */
export class Journals {
  readonly #environment: JournalsEnvironment;
  readonly #writers = new Map<string, BehindWriter>();

  constructor(environment: JournalsEnvironment) {
    this.#environment = environment;
  }

  /**
   * Connects a journal and adds it.
   *
   * @param use makes the runtime of a class that has not been used yet
   * @throws ConfigurationError `CACHEME_DUPLICATE_JOURNAL`, `CACHEME_INVALID_OPTION`,
   *   `CACHEME_INVALID_DURATION`; StorageError `CACHEME_CONNECT_FAILED`
   */
  async register(
    name: string,
    journal: Journal,
    options: RegisterJournalOptions,
    use: (nodeClass: RegisterJournalNode) => ClassRuntime,
  ): Promise<RegisteredJournal> {
    checkJournal(name, journal);
    const settings = journalSettings(name, options);
    if (this.#writers.has(name)) throw duplicate(name);
    const { journals } = sharedState;
    const known = journals.get(journal);
    if (known !== undefined) throw registeredTwice(name, journal, known);
    let waiting = settings.nodes;
    const discover = () => {
      waiting = waiting.filter((nodeClass) => {
        try {
          writer.add(use(nodeClass));
          return false;
        } catch (error) {
          // Its storages may be registered later. The first use shows any other fault.
          return isError(error);
        }
      });
    };
    const writer = new BehindWriter(name, journal, settings, this.#environment, discover);
    this.#writers.set(name, writer);
    journals.set(journal, name);
    try {
      await journal.connect(this.#environment.clock);
    } catch (thrown) {
      this.#writers.delete(name);
      journals.delete(journal);
      const cause = asError(thrown);
      throw new StorageError(
        "CACHEME_CONNECT_FAILED",
        `The journal "${name}" (${journal.label}) cannot be connected: ${sentence(cause.message)}`,
        { cause },
      );
    }
    writer.flusher.schedule(0);
    return new RegisteredJournal(writer);
  }

  /** @throws ConfigurationError `CACHEME_UNKNOWN_JOURNAL` */
  get(name: string, user: string): BehindWriter {
    const writer = this.#writers.get(name);
    if (writer !== undefined) return writer;
    const known = [...this.#writers.keys()];
    throw new ConfigurationError(
      "CACHEME_UNKNOWN_JOURNAL",
      `${user} uses the journal "${name}", which is not registered. Call await registerJournal("${name}", …) at the program's start.` +
        (known.length === 0 ? "" : ` Registered are ${known.join(", ")}.`),
    );
  }

  /** Returns the registered journals, in the order of their registration. */
  list(): readonly RegisteredJournal[] {
    return Array.from(this.#writers.values(), (writer) => new RegisteredJournal(writer));
  }

  /** Writes what is left, closes the journals, and reports what is left then. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.#writers.values(), (writer) => this.#close(writer)));
  }

  async #close(writer: BehindWriter): Promise<void> {
    await writer.close();
    sharedState.journals.delete(writer.calls.journal);
    const unsaved = writer.flusher.counts.reduce((sum, count) => sum + count.unsaved, 0);
    if (unsaved === 0) return;
    const { events } = this.#environment;
    const { name, journal } = writer.calls;
    if (events.listeners.unsavedLeft !== null) {
      events.emit("unsavedLeft", { journal: name, unsaved, isLost: !journal.isDurable });
    } else if (!journal.isDurable) {
      process.emitWarning(
        `${unsaved} saved values were not in their source at close(), and are lost, because the journal "${name}" is ` +
          `${journal.label}. Use a durable journal, or a longer drainTimeout.`,
        { type: "CachemeWarning", code: "CACHEME_UNSAVED_LOST" },
      );
    }
  }
}

type RegisterJournalNode = NonNullable<RegisterJournalOptions["nodes"]>[number];

function duplicate(name: string): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_DUPLICATE_JOURNAL",
    `Another journal is registered as "${name}". Give one of them another name.`,
  );
}

/** Each space claims, writes and closes a journal as its only owner. */
function registeredTwice(name: string, journal: Journal, known: string): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_DUPLICATE_JOURNAL",
    `The journal for "${name}" (${journal.label}) is registered already, as "${known}", in this space or another one. ` +
      "Make a journal object for each registration, or close the other space first.",
  );
}
