import type { StoredRecord } from "../storage/remote-storage.js";
import type { Destination } from "./destination.js";

/** A value that one caller wants written under a key in a tier. */
interface Write {
  readonly birth: number;
  /** Returns the record when the request leaves; `undefined` if the write was overtaken meanwhile. */
  record(): StoredRecord | undefined;
}

/** What one caller wants done with a key in a tier. */
export interface Mutation {
  /** Default: the key is removed. */
  readonly write?: Write;
  /** The error if the outcome is unknown. Must not throw. */
  done(error: Error | undefined): void;
}

/** One request: the writes since the last removal, of which the newest is carried out, and all who wait for any of them. */
interface Request {
  writes: Write[];
  /** Whether somebody wants the old value gone, even if every write is overtaken. */
  removes: boolean;
  readonly waiting: Mutation[];
}

/**
 * The mutations of one key in one remote tier: one is on its way, and one waits, which serves everybody who asked since. A
 * storage may carry out two requests in any order, so no second one leaves before the first one was answered.
 */
export class WriteQueue {
  readonly #destination: Destination;
  readonly #key: string;
  readonly #idle: () => void;
  #isBusy = false;
  #next: Request | undefined;

  /** @param idle is called whenever the last mutation is done */
  constructor(destination: Destination, key: string, idle: () => void) {
    this.#destination = destination;
    this.#key = key;
    this.#idle = idle;
  }

  /** Whether a mutation that comes now has to wait for another one. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** Sends the mutation at once, or lets it wait in the place of the one that waits already. */
  put(mutation: Mutation): void {
    this.#next ??= { writes: [], removes: false, waiting: [] };
    this.#next.waiting.push(mutation);
    if (mutation.write !== undefined) this.#next.writes.push(mutation.write);
    else {
      this.#next.writes = [];
      this.#next.removes = true;
    }
    if (!this.#isBusy) this.#send();
  }

  #send(): void {
    const request = this.#next;
    this.#next = undefined;
    if (request === undefined) {
      this.#isBusy = false;
      this.#idle();
      return;
    }
    this.#isBusy = true;
    this.#ask(request);
  }

  /** Sends a request. If the storage fails because another one has taken its name, that one is asked. */
  #ask(request: Request): void {
    const { storage } = this.#destination;
    const done = (error: Error | undefined) => {
      if (error !== undefined && this.#destination.storage !== storage) {
        this.#ask(request);
        return;
      }
      for (const mutation of request.waiting) mutation.done(error);
      this.#send();
    };
    if (request.writes.length === 0) {
      storage.remove({ storageKey: this.#key, done });
      return;
    }
    let wasOvertaken = false;
    storage.write({
      record: () => {
        const written = newestOf(request.writes);
        wasOvertaken = written === undefined;
        return written;
      },
      done: (error) => {
        // What overtook the write has put a mutation of its own behind it, unless the write replaced a removal.
        if (wasOvertaken && request.removes) storage.remove({ storageKey: this.#key, done });
        else done(error);
      },
    });
  }
}

/** The record of the write that was born last, of those that nothing has overtaken. Of two of one birth, the later one counts. */
function newestOf(writes: readonly Write[]): StoredRecord | undefined {
  for (const write of writes.toReversed().sort((one, other) => other.birth - one.birth)) {
    const record = write.record();
    if (record !== undefined) return record;
  }
  return undefined;
}
