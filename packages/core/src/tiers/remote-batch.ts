import { types } from "node:util";
import type { Clock } from "../clock.js";
import { asError, BatchError, StorageError } from "../errors.js";
import type { Events } from "../events.js";
import type { RemoteStorage, StoredRecord } from "../storage/remote-storage.js";
import { type PartBounds, partsOf, sendParts } from "./parts.js";
import { StorageClock } from "./storage-clock.js";
import type { Tick } from "./tick.js";

/** One key that somebody wants read from a remote storage. */
export interface RemoteRead {
  readonly storageKey: string;
  /**
   * Hit: the bytes. Miss: neither. Trouble: the error of a storage that could not be asked. Must not throw.
   */
  arrived(bytes: Uint8Array | undefined, trouble: Error | undefined): void;
}

/** One record that somebody wants written. */
export interface RemoteWrite {
  /** Asked when the batch is sent; `undefined` where the write was overtaken meanwhile and must not happen any more. */
  record(): StoredRecord | undefined;
  /** The error where it is not known whether the record is stored. Must not throw. */
  done(error: Error | undefined): void;
}

/** One key that somebody wants removed. */
export interface RemoteRemoval {
  readonly storageKey: string;
  /** The error where it is not known whether the record is gone. Must not throw. */
  done(error: Error | undefined): void;
}

/**
 * A remote storage under the name that node classes know it by. Reads, writes and removals are gathered over the tick, and
 * each kind is sent as one batch for all node classes. Nothing here rejects: a storage in trouble is counted, told to the
 * listeners, and answered for.
 */
export class RemoteBatch {
  readonly kind = "remote";
  readonly name: string;
  readonly storage: RemoteStorage;
  /** How far the storage's clock is from ours. */
  readonly clock: StorageClock;
  readonly #events: Events;
  readonly #tick: Tick;
  #reads: RemoteRead[] = [];
  #writes: RemoteWrite[] = [];
  #removals: RemoteRemoval[] = [];
  /** Batches that are on their way, so that `close` can wait for them. */
  readonly #underway = new Set<Promise<void>>();
  /** How many calls have failed since the start, and the last one's error. */
  failureCount = 0;
  lastError: Error | undefined;

  constructor(name: string, storage: RemoteStorage, events: Events, tick: Tick, clock: Clock) {
    this.name = name;
    this.storage = storage;
    this.clock = new StorageClock(storage, clock);
    this.#events = events;
    this.#tick = tick;
  }

  read(request: RemoteRead): void {
    if (this.#reads.push(request) === 1) this.#tick.add(() => this.#send(this.#sendReads()));
  }

  write(request: RemoteWrite): void {
    if (this.#writes.push(request) === 1) this.#tick.add(() => this.#send(this.#sendWrites()));
  }

  remove(request: RemoteRemoval): void {
    if (this.#removals.push(request) === 1) this.#tick.add(() => this.#send(this.#sendRemovals()));
  }

  /** Closes the storage when every batch that is on its way has been answered. */
  async close(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
    await this.#attempt("close", () => this.storage.close());
  }

  #send(batch: Promise<void>): void {
    this.clock.check();
    this.#underway.add(batch);
    void batch.finally(() => this.#underway.delete(batch));
  }

  async #sendReads(): Promise<void> {
    const requests = this.#reads;
    this.#reads = [];
    // Nearly always one part: keys have 200 bytes at most.
    if (requests.length <= bounds.keys) await this.#readPart(requests);
    else await sendParts(partsOf(requests, bounds, noBytes), (part) => this.#readPart(part));
  }

  async #readPart(requests: readonly RemoteRead[]): Promise<void> {
    const keys = requests.map((request) => request.storageKey);
    let found: readonly (Uint8Array | undefined)[] = [];
    const timeIsKnown = this.clock.known();
    const trouble = await this.#attempt("read", async () => {
      const answer = await this.storage.readMany(keys);
      if (!isAnswerTo(keys, answer)) throw this.#wrongShape(keys.length);
      found = answer;
    });
    if (timeIsKnown !== undefined) await timeIsKnown;
    for (let place = 0; place < requests.length; place++) requests[place]?.arrived(found[place], trouble);
  }

  async #sendWrites(): Promise<void> {
    const requests = this.#writes;
    this.#writes = [];
    const timeIsKnown = this.clock.known();
    if (timeIsKnown !== undefined) await timeIsKnown;
    // The records are made now: what was overtaken meanwhile has none, and the times are the storage's.
    const writes = requests.map((request) => ({ request, record: request.record() }));
    const parts = partsOf(writes, bounds, ({ record }) => record?.bytes.byteLength ?? 0);
    await sendParts(parts, (part) => this.#writePart(part));
  }

  async #writePart(
    writes: readonly { readonly request: RemoteWrite; readonly record: StoredRecord | undefined }[],
  ): Promise<void> {
    const wanted = writes.map(({ record }) => record).filter((record) => record !== undefined);
    const error =
      wanted.length === 0 ? undefined : await this.#attempt("write", () => this.storage.writeMany(wanted));
    for (const { request, record } of writes) request.done(errorOf(record?.key, error));
  }

  async #sendRemovals(): Promise<void> {
    const requests = this.#removals;
    this.#removals = [];
    await sendParts(partsOf(requests, bounds, noBytes), async (part) => {
      const keys = part.map((request) => request.storageKey);
      const error = await this.#attempt("remove", () => this.storage.removeMany(keys));
      for (const request of part) request.done(errorOf(request.storageKey, error));
    });
  }

  async #attempt(
    operation: "read" | "write" | "remove" | "close",
    call: () => Promise<unknown>,
  ): Promise<Error | undefined> {
    try {
      await call();
      return undefined;
    } catch (thrown) {
      const error = asError(thrown);
      this.failureCount += 1;
      this.lastError = error;
      releaseFrames(error);
      if (this.#events.listeners.storageError !== null) {
        this.#events.emit("storageError", { storage: this.name, operation, error });
      }
      return error;
    }
  }

  #wrongShape(expected: number): StorageError {
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `readMany of storage "${this.name}" (${this.storage.label}) was asked for ${expected} keys and did not answer with a ` +
        "list of that length, of bytes or undefined. This is a fault of its driver.",
      { storage: this.name },
    );
  }
}

/** Of one request. A thousand keys of a few hundred bytes keep a server busy for some milliseconds. */
const bounds: PartBounds = { keys: 1_000, bytes: 2 ** 20 };

const noBytes = () => 0;

/** The error of a batch as it concerns one key of it. A write that was overtaken meanwhile has no key, and no trouble. */
function errorOf(key: string | undefined, error: Error | undefined): Error | undefined {
  if (key === undefined) return undefined;
  return error instanceof BatchError && !error.keys.has(key) ? undefined : error;
}

/** V8 keeps what the functions of a stack held until somebody reads the stack as text; this error is kept for long. */
function releaseFrames(error: Error): void {
  try {
    Reflect.get(error, "stack");
  } catch {
    // An odd error has no text.
  }
}

/** A driver is somebody else's code: what it answers may be anything. */
function isAnswerTo(keys: readonly string[], answer: unknown): boolean {
  if (!Array.isArray(answer) || answer.length !== keys.length) return false;
  for (const bytes of answer) if (bytes !== undefined && !types.isUint8Array(bytes)) return false;
  return true;
}
