import type { StoredRecord } from "../storage/remote-storage.js";
import type { Destination } from "./destination.js";

/** What one caller wants done with a key in a tier. */
export interface Mutation {
  /**
   * The record to write, asked for when the request leaves; `undefined` if the write was overtaken meanwhile. Without this
   * function the key is removed.
   */
  readonly record?: (() => StoredRecord | undefined) | undefined;
  /** The error if the outcome is unknown. Must not throw. */
  done(error: Error | undefined): void;
}

/** One request: the newest write, the removals that it replaces, and all who wait for either. */
interface Request {
  record: Mutation["record"];
  /** Whether somebody wants the old value gone, even if the write is overtaken. */
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
    const { record } = mutation;
    const removes = record === undefined;
    if (this.#next === undefined) this.#next = { record, removes, waiting: [mutation] };
    else {
      this.#next.record = record;
      this.#next.removes ||= removes;
      this.#next.waiting.push(mutation);
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
    const { record } = request;
    if (record === undefined) {
      storage.remove({ storageKey: this.#key, done });
      return;
    }
    let wasOvertaken = false;
    storage.write({
      record: () => {
        const written = record();
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
