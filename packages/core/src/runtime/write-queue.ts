import type { StoredRecord } from "../storage/remote-storage.js";
import { endOf } from "../tiers/guarded/guard.js";
import type { RemoteBatch } from "../tiers/remote-batch.js";
import type { RemoteRemoval, RemoteWrite } from "../tiers/remote-requests.js";
import type { Destination } from "./destination.js";

/** A change that one caller makes to a key in a tier: a removal, or a {@link Write}. */
export interface Mutation {
  /**
   * Called with the error if the outcome is unknown. Must not throw.
   *
   * @param wasRefused whether the storage has refused the record, because another process has
   *   removed the key or taken its lease. The key was removed instead
   */
  done(error: Error | undefined, wasRefused?: boolean): void;
}

/** A value to write under the key. */
export interface Write extends Mutation {
  readonly birth: number;
  /** See {@link RemoteWrite.lease}. */
  readonly lease: number | undefined;
  /**
   * Returns the record when the request leaves; `undefined` if the write was overtaken meanwhile.
   */
  record(): StoredRecord | undefined;
}

/**
 * A request: the writes since the last removal, and their callers. Only the newest write is carried
 * out.
 */
interface Request {
  writes: Write[];
  /** Whether the old value must be removed, even if every write is overtaken. */
  removes: boolean;
  readonly waiting: Mutation[];
}

/**
 * The mutations of one key in one remote tier. One is under way, and one waits for all callers
 * since. A storage may carry out two requests in any order. So the second one only leaves after the
 * first one was answered.
 */
export class WriteQueue implements RemoteWrite, RemoteRemoval {
  readonly storageKey: string;
  readonly #destination: Destination;
  readonly #idle: () => void;
  /** The request that is under way. */
  #current: Request | undefined;
  /** The storage that the request was sent to. */
  #storage: RemoteBatch | undefined;
  /** Whether every write of the request was overtaken before it left. */
  #wasOvertaken = false;
  /** Whether the storage has refused the request's record. */
  #wasRefused = false;
  #next: Request | undefined;

  /** @param idle called whenever the last mutation is done */
  constructor(destination: Destination, storageKey: string, idle: () => void) {
    this.#destination = destination;
    this.storageKey = storageKey;
    this.#idle = idle;
  }

  /** Whether a new mutation must wait for another one. */
  get isBusy(): boolean {
    return this.#current !== undefined;
  }

  /** Sends the write at once, or merges it into the waiting request. */
  write(write: Write): void {
    const waiting = this.#next;
    // A literal has room for one item, but a push makes room for 17.
    if (waiting === undefined) this.#next = { writes: [write], removes: false, waiting: [write] };
    else {
      waiting.waiting.push(write);
      waiting.writes.push(write);
    }
    if (!this.isBusy) this.#sendNext();
  }

  /** Does the same for a removal of the key. */
  remove(removal: Mutation): void {
    this.#next ??= { writes: [], removes: true, waiting: [] };
    this.#next.waiting.push(removal);
    this.#next.writes = [];
    this.#next.removes = true;
    if (!this.isBusy) this.#sendNext();
  }

  /** The length of the lease for the request that is under way. */
  get lease(): number | undefined {
    return this.#current?.writes[0]?.lease;
  }

  /** Returns the record of the write that leaves now. */
  record(): StoredRecord | undefined {
    const record = newestOf(this.#current?.writes ?? []);
    this.#wasOvertaken = record === undefined;
    return record;
  }

  /** Handles the storage's answer. */
  done(error: Error | undefined): void {
    const request = this.#current;
    if (request === undefined) return;
    if (this.#wasOvertaken && request.removes) {
      // The overtaking operation has queued a mutation of its own, unless the write replaced a
      // removal.
      this.#wasOvertaken = false;
      this.#storage?.remove(this);
    } else if (error !== undefined && this.#destination.storage !== this.#storage) {
      // The storage fails because another one has taken its name. The request goes to that one.
      this.#send(request);
    } else {
      const wasRefused = this.#wasRefused;
      const end = error === undefined ? undefined : endOf(error);
      for (const mutation of request.waiting) mutation.done(error, wasRefused);
      // A write that missed its deadline may still be carried out, and undo what comes after it.
      if (end === undefined) this.#sendNext();
      else void end.then(() => this.#sendNext());
    }
  }

  /**
   * Removes the key, because the storage has refused the record. Its own value may be older than the
   * record, or than a removal that was merged into the request.
   */
  refused(): void {
    this.#wasRefused = true;
    this.#storage?.remove(this);
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
    this.#wasRefused = false;
    if (writes.length === 0) storage.remove(this);
    else storage.write(this);
  }
}

/**
 * Returns the record of the write that was born last and that nothing has overtaken. If two have
 * one birth, the later one counts.
 */
function newestOf(writes: readonly Write[]): StoredRecord | undefined {
  const [first] = writes;
  if (writes.length === 1) return first?.record();
  for (const write of writes.toReversed().sort((one, other) => other.birth - one.birth)) {
    const record = write.record();
    if (record !== undefined) return record;
  }
  return undefined;
}
