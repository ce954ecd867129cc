import type { Background } from "../background.js";
import type { RemoteStorage } from "../storage/remote-storage.js";
import { noteChecked } from "../storage/stored-key.js";
import { type Lanes, type PartBounds, partsOf } from "./parts.js";
import type { Tick } from "./tick.js";

/** A record to keep for longer. */
export interface RemoteTouch {
  readonly storageKey: string;
  /** See `StoredTouch.ttl`. */
  readonly ttl: number;
  /**
   * The milliseconds in which further touches of the key are left out. `answered` makes the touch in
   * any case.
   */
  readonly interval: number;
  /**
   * Called with whether the record is there. If the storage is in trouble, called with the error.
   * Must not throw. Without it, nobody waits for the touch.
   */
  readonly answered?: (isThere: boolean, trouble: Error | undefined) => void;
}

/** The parts of a remote storage's batches that touches share. */
export interface TouchBatchEnvironment {
  readonly tick: Tick;
  readonly lanes: Lanes;
  readonly bounds: PartBounds;
  /** Returns the time, on our clock. */
  readonly now: () => number;
  /** Makes the call, and returns its error. */
  attempt(operation: "touch", call: () => Promise<unknown>): Promise<Error | undefined>;
  /** Records that a batch is under way. */
  sent(batch: Promise<void>): void;
  /** Returns the error for an answer of the wrong shape. */
  wrongShape(expected: number): Error;
}

/** The most keys whose last touch is remembered. A forgotten one costs a touch more. */
const mostNoted = 10_000;

/** Gathers the touches of one storage over the tick. Nothing here rejects. */
export class TouchBatch {
  readonly #storage: RemoteStorage;
  readonly #environment: TouchBatchEnvironment;
  /** The times at which the keys were last touched or stored, the oldest note first. */
  readonly #noted = new Map<string, number>();
  #touches: RemoteTouch[] = [];
  /** Keeps the host awake until the touches are answered. */
  background: Background | undefined;

  constructor(storage: RemoteStorage, environment: TouchBatchEnvironment) {
    this.#storage = storage;
    this.#environment = environment;
  }

  add(touch: RemoteTouch): void {
    const { storageKey, interval, answered } = touch;
    if (answered === undefined && this.#isRecent(storageKey, interval)) return;
    this.note(storageKey);
    if (this.#touches.push(touch) > 1) return;
    const { tick, sent } = this.#environment;
    const ended = this.background?.begin();
    tick.add(() => sent(this.#sendAll().finally(ended)));
  }

  /** Records that a record begins its life now, so that no touch is due. */
  note(storageKey: string): void {
    this.#noted.delete(storageKey);
    this.#noted.set(storageKey, this.#environment.now());
    if (this.#noted.size <= mostNoted) return;
    for (const oldest of this.#noted.keys()) {
      this.#noted.delete(oldest);
      return;
    }
  }

  /** A clock that was set back makes a touch due. */
  #isRecent(storageKey: string, interval: number): boolean {
    const last = this.#noted.get(storageKey);
    return last !== undefined && Math.abs(this.#environment.now() - last) < interval;
  }

  async #sendAll(): Promise<void> {
    const touches = this.#touches;
    this.#touches = [];
    const { bounds, lanes } = this.#environment;
    await lanes.sendAll(
      partsOf(touches, bounds, () => 0),
      (part) => this.#sendPart(part),
    );
  }

  async #sendPart(touches: readonly RemoteTouch[]): Promise<void> {
    const wanted = touches.map(({ storageKey, ttl }) => ({ key: storageKey, ttl }));
    noteChecked(wanted);
    let answers: readonly boolean[] = [];
    const trouble = await this.#environment.attempt("touch", async () => {
      const answer = await this.#storage.touchMany?.(wanted);
      if (!Array.isArray(answer) || answer.length !== wanted.length)
        throw this.#environment.wrongShape(wanted.length);
      answers = answer;
    });
    for (const [place, { storageKey, answered }] of touches.entries()) {
      const isThere = answers[place] === true;
      // The next read tries again, or finds another record.
      if (!isThere) this.#noted.delete(storageKey);
      answered?.(isThere, trouble);
    }
  }
}
