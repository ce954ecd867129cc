import type { StoredRecord } from "../storage/remote-storage.js";
import type { RemoteBatch, RemoteRemoval, RemoteWrite } from "../tiers/remote-batch.js";
import type { Destination } from "./destination.js";

/** The change that one caller wants of a key in a tier: a removal, or a {@link Write}. */
export interface Mutation {
  /** Called with the error if the outcome is unknown. Must not throw. */
  done(error: Error | undefined): void;
}

/** A value to write under the key. */
export interface Write extends Mutation {
  readonly birth: number;
  /** Returns the record when the request leaves; `undefined` if the write was overtaken meanwhile. */
  record(): StoredRecord | undefined;
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
export class WriteQueue implements RemoteWrite, RemoteRemoval {
  readonly storageKey: string;
  readonly #destination: Destination;
  readonly #idle: () => void;
  /** The request that is on its way. */
  #current: Request | undefined;
  /** The storage that the request was sent to. */
  #storage: RemoteBatch | undefined;
  /** Whether every write of the request was overtaken before it left. */
  #wasOvertaken = false;
  #next: Request | undefined;

  /** @param idle is called whenever the last mutation is done */
  constructor(destination: Destination, storageKey: string, idle: () => void) {
    this.#destination = destination;
    this.storageKey = storageKey;
    this.#idle = idle;
  }

  /** Whether a mutation that comes now has to wait for another one. */
  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Sends the write at once, or lets it wait in the place of the one that waits already. */
  write(write: Write): void {
    const request = this.#waiting();
    request.waiting.push(write);
    request.writes.push(write);
    if (!this.isBusy) this.#sendNext();
  }

  /** The same for a removal of the key. */
  remove(removal: Mutation): void {
    const request = this.#waiting();
    request.waiting.push(removal);
    request.writes = [];
    request.removes = true;
    if (!this.isBusy) this.#sendNext();
  }

  /** Returns the record of the write that leaves now. */
  record(): StoredRecord | undefined {
    const record = newestOf(this.#current?.writes ?? []);
    this.#wasOvertaken = record === undefined;
    return record;
  }

  /** The storage has answered. */
  done(error: Error | undefined): void {
    const request = this.#current;
    if (request === undefined) return;
    if (this.#wasOvertaken && request.removes) {
      // What overtook the write has put a mutation of its own behind it, unless the write replaced a removal.
      this.#wasOvertaken = false;
      this.#storage?.remove(this);
    } else if (error !== undefined && this.#destination.storage !== this.#storage) {
      // The storage fails because another one has taken its name: that one is asked.
      this.#send(request);
    } else {
      for (const mutation of request.waiting) mutation.done(error);
      this.#sendNext();
    }
  }

  #waiting(): Request {
    this.#next ??= { writes: [], removes: false, waiting: [] };
    return this.#next;
  }

  #sendNext(): void {
    const request = this.#next;
    this.#next = undefined;
    this.#current = request;
    if (request === undefined) this.#idle();
    else this.#send(request);
  }

  #send({ writes }: Request): void {
    const { storage } = this.#destination;
    this.#storage = storage;
    this.#wasOvertaken = false;
    if (writes.length === 0) storage.remove(this);
    else storage.write(this);
  }
}

/** The record of the write that was born last, of those that nothing has overtaken. Of two of one birth, the later one counts. */
function newestOf(writes: readonly Write[]): StoredRecord | undefined {
  const [first] = writes;
  if (writes.length === 1) return first?.record();
  for (const write of writes.toReversed().sort((one, other) => other.birth - one.birth)) {
    const record = write.record();
    if (record !== undefined) return record;
  }
  return undefined;
}
