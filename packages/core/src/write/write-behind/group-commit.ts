import { SaveError } from "../../errors.js";
import type { JournalRecord } from "../../journal/journal.js";
import type { Tick } from "../../tiers/tick.js";
import type { JournalCalls } from "./journal-calls.js";
import type { JournalSettings } from "./journal-options.js";
import { RoomQueue } from "./room-queue.js";

/** The most records of one append, so that no append takes long. */
const mostRecords = 5_000;

/** The records of one append, and the promise of all who wait for it. */
interface Group {
  /** The newest record of each key. */
  readonly records: Map<string, JournalRecord>;
  readonly appended: Promise<void>;
  resolve(): void;
  reject(error: unknown): void;
}

/** The parts of a journal's writer that appends need. */
export interface GroupCommitEnvironment {
  readonly tick: Tick;
  readonly calls: JournalCalls;
  readonly settings: JournalSettings;
  /** Called with the number of records that an append has added. */
  appended(count: number): void;
}

/**
 * Appends records to a journal. One append is under way at a time, and the next one takes all
 * records that come meanwhile. So one write to the disk acknowledges many saves, and the records of
 * a key arrive in their order.
 */
export class GroupCommit {
  readonly #environment: GroupCommitEnvironment;
  readonly #groups: Group[] = [];
  #isSending = false;
  /** The records of the append that is under way. */
  #sending = 0;
  /** The saves that came while the journal was full. */
  readonly #room: RoomQueue;
  /** The number of records in the journal, about. */
  size = 0;

  constructor(environment: GroupCommitEnvironment) {
    this.#environment = environment;
    const { calls, tick } = environment;
    this.#room = new RoomQueue({
      tick,
      held: (keys) => calls.make("read", (journal) => journal.read(keys)),
      append: (record) => this.#gather(record),
      isFull: () => this.#isFull,
      refusal: () => full(calls.name, environment.settings.maxSize),
    });
  }

  /**
   * Appends a record. When it resolves, the journal has it.
   *
   * @throws SaveError `CACHEME_JOURNAL_FULL`, `CACHEME_JOURNAL_FAILED`
   */
  append(record: JournalRecord): Promise<void> {
    if (this.#room.isEmpty && (!this.#isFull || this.#isGathered(record))) return this.#gather(record);
    return this.#room.append(record, this.#environment.settings.whenFull === "wait");
  }

  /** Whether records are on their way, or wait. */
  get isBusy(): boolean {
    return this.#isSending || this.#groups.length > 0 || !this.#room.isEmpty;
  }

  /** Lets saves that wait go on, because the journal may have room now. */
  roomChanged(): void {
    this.#room.changed();
  }

  /** Rejects the saves that wait for room. */
  close(): void {
    this.#room.close();
  }

  get #isFull(): boolean {
    const gathered = this.#groups.reduce((sum, { records }) => sum + records.size, 0);
    return this.size + this.#sending + gathered >= this.#environment.settings.maxSize;
  }

  #isGathered({ key }: JournalRecord): boolean {
    return this.#groups.at(-1)?.records.has(key) ?? false;
  }

  #gather(record: JournalRecord): Promise<void> {
    let group = this.#groups.at(-1);
    if (group === undefined || (group.records.size >= mostRecords && !group.records.has(record.key))) {
      group = newGroup();
      this.#groups.push(group);
      if (!this.#isSending && this.#groups.length === 1) this.#sendSoon();
    }
    group.records.set(record.key, record);
    return group.appended;
  }

  #sendSoon(): void {
    // Saves that follow the last acknowledgement join the group.
    this.#environment.tick.add(() => this.#send());
  }

  #send(): void {
    const group = this.#groups.shift();
    if (group === undefined) return;
    const { calls, settings, appended } = this.#environment;
    this.#isSending = true;
    this.#sending = group.records.size;
    // A call that took too long may still be carried out, so the next one waits for its end.
    const ended = () => {
      this.#isSending = false;
      this.#sending = 0;
      if (this.#groups.length > 0) this.#sendSoon();
    };
    const records = [...group.records.values()];
    calls
      .make("append", (journal) => journal.append(records, settings.delay), ended)
      .then(
        () => {
          this.size += records.length;
          appended(records.length);
          group.resolve();
        },
        (error) => {
          this.size += records.length;
          group.reject(error);
        },
      );
  }
}

function newGroup(): Group {
  let resolve: () => void = nothing;
  let reject: (error: unknown) => void = nothing;
  const appended = new Promise<void>((resolved, rejected) => {
    resolve = resolved;
    reject = rejected;
  });
  appended.catch(nothing); // Each save handles it.
  return { records: new Map(), appended, resolve, reject };
}

function nothing(): void {}

function full(name: string, maxSize: number): SaveError {
  return new SaveError(
    "CACHEME_JOURNAL_FULL",
    `The journal "${name}" has about ${maxSize} values that are not in their source yet, which is its maxSize. Save again later, ` +
      "look why the source takes so few values, or allow more.",
  );
}
