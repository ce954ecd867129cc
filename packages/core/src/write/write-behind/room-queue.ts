import type { JournalRecord } from "../../journal/journal.js";
import type { Tick } from "../../tiers/tick.js";

/** A save that came while the journal was full. */
interface Waiting {
  readonly record: JournalRecord;
  /** Whether it waits for room if the journal does not hold its key. */
  readonly mayWait: boolean;
  resolve(appended: Promise<void>): void;
  reject(error: unknown): void;
}

/** The parts of the appends that the queue needs. */
export interface RoomQueueEnvironment {
  readonly tick: Tick;
  /** Returns the journal's values of the keys, in their order. */
  held(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]>;
  append(record: JournalRecord): Promise<void>;
  isFull(): boolean;
  refusal(): Error;
}

/**
 * The saves that came while the journal was full. A newer value of a key that the journal holds
 * takes no room, so it is appended at once. The others wait in their order, or are refused.
 */
export class RoomQueue {
  readonly #environment: RoomQueueEnvironment;
  /** The saves whose keys the next read looks for. */
  #asking: Waiting[] = [];
  /** The saves that the journal is read for now. */
  #asked: readonly Waiting[] = [];
  #waiting: Waiting[] = [];
  #isClosed = false;

  constructor(environment: RoomQueueEnvironment) {
    this.#environment = environment;
  }

  get isEmpty(): boolean {
    return this.#waiting.length + this.#asking.length + this.#asked.length === 0;
  }

  append(record: JournalRecord, mayWait: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#asking.push({ record, mayWait, resolve, reject });
      if (this.#asking.length === 1 && this.#asked.length === 0) this.#askSoon();
    });
  }

  /** Lets saves go on, because the journal may have room now. */
  changed(): void {
    while (this.#waiting.length > 0 && !this.#environment.isFull())
      void this.#appendNow(this.#waiting.shift());
  }

  /** Refuses the saves that wait for room, and those that would have to. */
  close(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#environment.refusal());
  }

  #askSoon(): void {
    this.#environment.tick.add(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    const asked = this.#asking;
    this.#asking = [];
    this.#asked = asked;
    const held = await this.#heldOf([...new Set(asked.map(({ record }) => record.key))]);
    this.#asked = [];
    for (const waiting of asked) {
      const { record, mayWait, reject } = waiting;
      if (held.has(record.key)) {
        // An older value of the key that still waits is replaced by this one.
        this.#leaveWith(record.key, this.#appendNow(waiting));
      } else if (this.#waiting.length === 0 && !this.#environment.isFull()) void this.#appendNow(waiting);
      else if (mayWait && !this.#isClosed) this.#waiting.push(waiting);
      else reject(this.#environment.refusal());
    }
    if (this.#asking.length > 0) this.#askSoon();
  }

  /** Returns the keys that the journal holds; none if it does not answer. */
  async #heldOf(keys: readonly string[]): Promise<ReadonlySet<string>> {
    try {
      const values = await this.#environment.held(keys);
      return new Set(keys.filter((_, place) => values[place] !== undefined));
    } catch {
      return new Set(); // The append, if there is room, reports the journal's trouble.
    }
  }

  #appendNow(waiting: Waiting | undefined): Promise<void> | undefined {
    if (waiting === undefined) return undefined;
    const appended = this.#environment.append(waiting.record);
    waiting.resolve(appended);
    return appended;
  }

  #leaveWith(key: string, appended: Promise<void> | undefined): void {
    if (appended === undefined || !this.#waiting.some(({ record }) => record.key === key)) return;
    for (const { record, resolve } of this.#waiting) if (record.key === key) resolve(appended);
    this.#waiting = this.#waiting.filter(({ record }) => record.key !== key);
  }
}
