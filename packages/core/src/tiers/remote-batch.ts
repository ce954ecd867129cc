import { types } from "node:util";
import type { Clock } from "../clock.js";
import { BatchError, closedStorage, StorageError } from "../errors.js";
import type { Events, StorageOperation } from "../events.js";
import type { RemoteStorage, StoredRecord } from "../storage/remote-storage.js";
import { noteChecked } from "../storage/stored-key.js";
import { GenerationBatch } from "./generation-batch.js";
import { Guard } from "./guarded/guard.js";
import { defaultGuard, type GuardSettings } from "./guarded/guard-options.js";
import { ReplayQueue } from "./guarded/replay-queue.js";
import { Restarts } from "./guarded/restarts.js";
import { troubleReason } from "./guarded/trouble.js";
import { LeaseBatch } from "./lease-batch.js";
import { Lanes, type PartBounds, partsOf } from "./parts.js";
import type { RemoteRead, RemoteRemoval, RemoteWrite } from "./remote-requests.js";
import { StorageClock } from "./storage-clock.js";
import { countTags, haveFewTags, TagReads } from "./tag-reads.js";
import type { Tick } from "./tick.js";
import { TouchBatch } from "./touch-batch.js";

/**
 * A remote storage with the name that node classes use for it. Gathers reads, writes and removals
 * over the tick, and sends each kind as one batch for all node classes. Nothing here rejects. If
 * the storage is in trouble, the failure is counted, reported to the listeners, and answered.
 */
export class RemoteBatch {
  readonly kind = "remote";
  readonly name: string;
  readonly storage: RemoteStorage;
  /** The offset of the storage's clock from ours. */
  readonly clock: StorageClock;
  readonly #clock: Clock;
  /** The time, on our clock, of the read whose requests are being answered. */
  answeredAt = 0;
  /** The requests on the storage's generations. */
  readonly generations: GenerationBatch;
  /** Bounds each call to the storage. */
  readonly guard: Guard;
  /** The requests on the storage's leases. */
  readonly leases: LeaseBatch;
  /** The touches of the storage's records. */
  readonly touches: TouchBatch;
  /** The restarts of the server. */
  readonly restarts: Restarts;
  /** The removals that did not reach the storage. */
  readonly replays: ReplayQueue;
  /** Returns the time, on our clock. */
  readonly now: () => number;
  readonly #events: Events;
  readonly #tick: Tick;
  readonly #lanes = new Lanes();
  #reads: RemoteRead[] = [];
  #writes: RemoteWrite[] = [];
  #removals: RemoteRemoval[] = [];
  /** The batches that are under way, so that `close` can wait for them. */
  readonly #underway = new Set<Promise<void>>();
  /**
   * The number of calls that have failed since the start. The next field is the last one's error.
   */
  failureCount = 0;
  lastError: Error | undefined;
  /** The storage that has taken the name. */
  #successor: RemoteBatch | undefined;

  constructor(
    name: string,
    storage: RemoteStorage,
    events: Events,
    tick: Tick,
    clock: Clock,
    settings: GuardSettings = defaultGuard,
  ) {
    this.name = name;
    this.storage = storage;
    this.now = () => clock.now();
    this.replays = new ReplayQueue(clock, () => this.guard.isCallable);
    this.guard = new Guard(
      { name, label: storage.label, ping: () => storage.ping() },
      settings,
      clock,
      (state, error) => events.emit("breaker", { storage: name, state, error }),
      () => this.replays.poke(),
    );
    const guarded = {
      time: () => this.guard.run("time", () => storage.time()),
      // A storage may only learn it when it connects.
      get timePrecision() {
        return storage.timePrecision;
      },
    };
    this.clock = new StorageClock(guarded, clock);
    this.restarts = new Restarts(this, settings.afterRestart);
    this.#clock = clock;
    this.#events = events;
    this.#tick = tick;
    const attempt = (operation: StorageOperation, call: () => Promise<unknown>) =>
      this.#attempt(operation, call);
    const sent = (batch: Promise<void>) => this.#send(batch);
    const shared = { tick, lanes: this.#lanes, bounds, attempt, sent };
    this.generations = new GenerationBatch(this, {
      ...shared,
      wrongShape: (operation, expected) =>
        this.#wrongShape(`generations.${operation}`, expected, "a generation, { id, at }"),
    });
    this.touches = new TouchBatch(storage, {
      ...shared,
      now: this.now,
      wrongShape: (expected) => this.#wrongShape("touchMany", expected, "whether the record is there"),
    });
    this.leases = new LeaseBatch(storage, {
      ...shared,
      clock: this.clock,
      wrongShape: (operation, expected) => this.#wrongShape(`leases.${operation}`, expected, "an answer"),
    });
  }

  /** The storage that has the name now. */
  get latest(): RemoteBatch {
    let latest: RemoteBatch = this;
    while (latest.#successor !== undefined) latest = latest.#successor;
    return latest;
  }

  /** Takes the name of another storage, and the removals that it owes. */
  succeed(other: RemoteBatch): void {
    other.#successor = this;
    this.replays.adopt(other.replays);
  }

  /** Settles when no part of a large batch waits any more; `undefined` if none waits. */
  drained(): Promise<void> | undefined {
    return this.#lanes.drained();
  }

  read(request: RemoteRead): void {
    if (this.#reads.push(request) === 1) this.#tick.add(() => this.#send(this.#sendReads()));
  }

  write(request: RemoteWrite): void {
    if (request.lease !== undefined && this.leases.isSupported) this.leases.store(request, request.lease);
    else if (this.#writes.push(request) === 1) this.#tick.add(() => this.#send(this.#sendWrites()));
  }

  remove(request: RemoteRemoval): void {
    if (this.#removals.push(request) === 1) this.#tick.add(() => this.#send(this.#sendRemovals()));
  }

  /** Closes the storage when each batch under way has been answered. */
  async close(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
    this.guard.stop();
    await this.replays.close(closedStorage(this.storage.label));
    const close = this.guard.insist("close", () => this.storage.close(), longestClose);
    await close.catch((error: Error) => this.#report("close", error));
  }

  #send(batch: Promise<void>): void {
    this.clock.check();
    this.#underway.add(batch);
    void batch.finally(() => this.#underway.delete(batch));
  }

  async #sendReads(): Promise<void> {
    const requests = this.#reads;
    this.#reads = [];
    // There is nearly always one part, because keys have 200 bytes at most.
    if (requests.length <= readBounds.keys && haveFewTags(requests, readBounds.bytes))
      await this.#readPart(requests);
    else await this.#lanes.sendAll(partsOf(requests, readBounds, countTags), (part) => this.#readPart(part));
  }

  async #readPart(requests: readonly RemoteRead[]): Promise<void> {
    const keys = requests.map((request) => request.storageKey);
    const tags = TagReads.addTo(requests, keys);
    noteChecked(keys);
    let found: readonly (Uint8Array | undefined)[] = [];
    const timeIsKnown = this.clock.known();
    const trouble = await this.#attempt(
      "read",
      () => this.storage.readMany(keys),
      (answer) => {
        if (!isAnswerTo(keys, answer)) return this.#wrongShape("readMany", keys.length, "bytes or undefined");
        found = answer;
        return undefined;
      },
    );
    if (timeIsKnown !== undefined) await timeIsKnown;
    const runIsKnown = this.restarts.known(trouble);
    if (runIsKnown !== undefined) this.#report("run", await runIsKnown);
    tags?.end(this, trouble === undefined ? found : undefined);
    this.answeredAt = this.#clock.now();
    for (let place = 0; place < requests.length; place++) requests[place]?.arrived(found[place], trouble);
  }

  async #sendWrites(): Promise<void> {
    const requests = this.#writes;
    this.#writes = [];
    const timeIsKnown = this.clock.known();
    if (timeIsKnown !== undefined) await timeIsKnown;
    // Makes the records now: an overtaken write has none, and the times are the storage's.
    const records: StoredRecord[] = [];
    const writers: RemoteWrite[] = [];
    for (const request of requests) {
      const record = request.record();
      if (record === undefined) request.done(undefined);
      else {
        records.push(record);
        writers.push(request);
      }
    }
    let place = 0;
    const parts = partsOf(records, bounds, ({ bytes }) => bytes.byteLength);
    await this.#lanes.sendAll(parts, (part) => {
      // The lanes take the parts in their order.
      place += part.length;
      return this.#writePart(part, writers.slice(place - part.length, place));
    });
  }

  async #writePart(records: readonly StoredRecord[], requests: readonly RemoteWrite[]): Promise<void> {
    const error = await this.#attempt("write", () => this.storage.writeMany(records));
    for (const [place, request] of requests.entries()) request.done(errorOf(records[place]?.key, error));
  }

  async #sendRemovals(): Promise<void> {
    const requests = this.#removals;
    this.#removals = [];
    await this.#lanes.sendAll(partsOf(requests, bounds, noBytes), async (part) => {
      const keys = part.map((request) => request.storageKey);
      const error = await this.#attempt("remove", () => this.storage.removeMany(keys));
      for (const request of part) request.done(errorOf(request.storageKey, error));
    });
  }

  /**
   * Makes one call. Settles with the error if the call failed.
   *
   * @param check returns the error of a wrong answer
   */
  #attempt<T>(
    operation: StorageOperation,
    call: () => Promise<T>,
    check?: (answer: T) => Error | undefined,
  ): Promise<Error | undefined> {
    return new Promise((settle) => {
      const failed = (error: Error) => {
        this.#report(operation, error);
        settle(error);
      };
      const answered = (answer: T) => {
        const error = check?.(answer);
        if (error === undefined) settle(undefined);
        else failed(error);
      };
      this.guard.attempt(operation, call, answered, failed);
    });
  }

  #report(operation: StorageOperation, error: Error | undefined): void {
    if (error === undefined || troubleReason(error) === "breaker-open") return; // The storage was not called.
    this.failureCount += 1;
    this.lastError = error;
    releaseFrames(error);
    if (this.#events.listeners.storageError !== null) {
      this.#events.emit("storageError", { storage: this.name, operation, error });
    }
  }

  #wrongShape(method: string, expected: number, each: string): StorageError {
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `Expected ${method} of storage "${this.name}" (${this.storage.label}) to return a list of ${expected} items, each ` +
        `${each}, got something else. The storage's driver has a fault.`,
      { storage: this.name },
    );
  }
}

/**
 * The bounds of one request. A thousand keys of a few hundred bytes keep a server busy for some
 * milliseconds.
 */
const bounds: PartBounds = { keys: 1_000, bytes: 2 ** 20 };

/** Bounds the tags of one request, too, whose generations are read beside the entries. */
const readBounds: PartBounds = { keys: bounds.keys, bytes: 4_000 };

const noBytes = () => 0;

/** The longest that a storage may take to close, in milliseconds: it waits for its running calls. */
const longestClose = 10_000;

/**
 * Returns the error of a batch for one of its keys. A write that was overtaken meanwhile has no
 * key, and no error.
 */
function errorOf(key: string | undefined, error: Error | undefined): Error | undefined {
  if (key === undefined) return undefined;
  return error instanceof BatchError && !error.keys.has(key) ? undefined : error;
}

/**
 * Reads the stack, because V8 keeps the values of a stack's functions until somebody reads the
 * stack as a string. The error is kept for long.
 */
function releaseFrames(error: Error): void {
  try {
    Reflect.get(error, "stack");
  } catch {
    // An odd error has no string form.
  }
}

/**
 * Returns whether the answer has the right shape. A driver is foreign code, so it may answer
 * anything.
 */
function isAnswerTo(keys: readonly string[], answer: unknown): boolean {
  if (!Array.isArray(answer) || answer.length !== keys.length) return false;
  for (const bytes of answer) if (bytes !== undefined && !types.isUint8Array(bytes)) return false;
  return true;
}
