import type { StorageOperation } from "../events.js";
import { shownKey } from "../shown-key.js";
import type { LeaseAnswer, Leases } from "../storage/leases.js";
import type { RemoteStorage, StoredRecord } from "../storage/remote-storage.js";
import { noteChecked } from "../storage/stored-key.js";
import { Gathered } from "./gathered.js";
import { type Lanes, type PartBounds, partsOf } from "./parts.js";
import type { StorageClock } from "./storage-clock.js";
import type { Tick } from "./tick.js";

/** The operations on leases, as failures of a storage name them. */
type LeaseOperation = Extract<StorageOperation, "acquire" | "fill" | "release" | "extend">;

/** A request for the lease of a key. */
export interface LeaseAcquisition {
  readonly storageKey: string;
  /** See `LeaseRequest.duration`. */
  readonly duration: number;
  /** See `LeaseRequest.steal`. */
  readonly steal: boolean;
  /** See `LeaseRequest.seen`. */
  readonly seen: Uint8Array | undefined;
  /** See `Leases.acquire`. */
  readonly isBulk?: boolean;
  /**
   * Called with the answer. If the storage is in trouble, called with the error. Must not throw.
   */
  acquired(answer: LeaseAnswer | undefined, trouble: Error | undefined): void;
}

/** A record to store by the right of a lease. */
export interface LeaseFill {
  readonly storageKey: string;
  readonly token: string;
  /** See `Leases.fill`. */
  readonly isBulk?: boolean;
  /** Returns the record when the batch is sent; `undefined` if it must not be stored any more. */
  record(): StoredRecord | undefined;
  /**
   * Called with the answer; `undefined` if the record was not sent. If the outcome is unknown,
   * called with the error. Must not throw.
   */
  filled(isStored: boolean | undefined, trouble: Error | undefined): void;
}

/** A lease that its holder gives back. */
export interface LeaseRelease {
  readonly storageKey: string;
  readonly token: string;
  /**
   * Called with whether the token was still stored; `undefined` if that is unknown. Must not throw.
   */
  readonly released?: ((isOwn: boolean | undefined) => void) | undefined;
}

/** A lease that its holder keeps for longer. */
export interface LeaseRenewal {
  readonly storageKey: string;
  readonly token: string;
  /** Milliseconds from now. */
  readonly duration: number;
}

/** A record to store without the right of a running load. */
export interface LeasedWrite {
  readonly storageKey: string;
  /** Returns the record when it is sent; `undefined` if it must not be stored any more. */
  record(): StoredRecord | undefined;
  /** Called with the error if it is unknown whether the record is stored. Must not throw. */
  done(error: Error | undefined): void;
  /** Called instead if the storage has refused the record. Must not throw. */
  refused(): void;
}

/** The parts of a remote storage's batches that leases share. */
export interface LeaseBatchEnvironment {
  readonly tick: Tick;
  readonly lanes: Lanes;
  readonly bounds: PartBounds;
  /** The storage's clock, which each grant tells. */
  readonly clock: StorageClock;
  /** Makes the call, and returns its error. */
  attempt(operation: LeaseOperation, call: () => Promise<unknown>): Promise<Error | undefined>;
  /** Records that a batch is under way. */
  sent(batch: Promise<void>): void;
  /** Returns the error for an answer of the wrong shape. */
  wrongShape(operation: LeaseOperation, expected: number): Error;
}

/** Gathers the requests on the leases of one storage over the tick. Nothing here rejects. */
export class LeaseBatch {
  readonly #storage: RemoteStorage;
  readonly #environment: LeaseBatchEnvironment;
  readonly #acquisitions: Gathered<LeaseAcquisition>;
  readonly #fills: Gathered<LeaseFill>;
  readonly #releases: Gathered<LeaseRelease>;
  readonly #bulkAcquisitions: Gathered<LeaseAcquisition>;
  readonly #bulkFills: Gathered<LeaseFill>;

  constructor(storage: RemoteStorage, environment: LeaseBatchEnvironment) {
    this.#storage = storage;
    this.#environment = environment;
    const { tick, lanes, bounds, sent } = environment;
    this.#acquisitions = new Gathered(tick, lanes, bounds, (part) => this.#sendAcquisitions(part), sent);
    this.#fills = new Gathered(tick, lanes, bounds, (part) => this.#sendFills(part), sent);
    this.#bulkAcquisitions = new Gathered(
      tick,
      lanes,
      bounds,
      (part) => this.#sendAcquisitions(part, true),
      sent,
    );
    this.#bulkFills = new Gathered(tick, lanes, bounds, (part) => this.#sendFills(part, true), sent);
    this.#releases = new Gathered(tick, lanes, bounds, (part) => this.#sendReleases(part), sent);
  }

  /** Whether the storage supports leases. It may only know when it is connected. */
  get isSupported(): boolean {
    return this.#storage.leases !== undefined;
  }

  /** Whether a holder can keep its lease for longer. */
  get isExtensible(): boolean {
    return this.#storage.leases?.extend !== undefined;
  }

  acquire(request: LeaseAcquisition): void {
    (request.isBulk === true ? this.#bulkAcquisitions : this.#acquisitions).add(request);
  }

  fill(request: LeaseFill): void {
    (request.isBulk === true ? this.#bulkFills : this.#fills).add(request);
  }

  release(request: LeaseRelease): void {
    this.#releases.add(request);
  }

  /**
   * Stores a record by the right of a lease that it takes from any holder. Without a lease, a
   * request that the storage carries out late would undo a removal.
   */
  store(write: LeasedWrite, duration: number): void {
    const { storageKey } = write;
    this.acquire({
      storageKey,
      duration,
      steal: true,
      seen: undefined,
      acquired: (answer, trouble) => {
        if (answer?.outcome === "granted") this.#fillBy(write, answer.token);
        else write.done(trouble ?? notGranted(storageKey));
      },
    });
  }

  #fillBy(write: LeasedWrite, token: string): void {
    const { storageKey } = write;
    this.fill({
      storageKey,
      token,
      record: () => write.record(),
      filled: (isStored, trouble) => {
        if (isStored === false) write.refused();
        else {
          if (isStored === undefined && trouble === undefined) this.release({ storageKey, token });
          write.done(trouble);
        }
      },
    });
  }

  /** Extends the leases. A lease that was lost shows it when it is used. */
  extend(leases: readonly LeaseRenewal[]): void {
    const extensions = leases.map(({ storageKey, token, duration }) => ({
      key: storageKey,
      token,
      duration,
    }));
    const call = async () => await this.#storage.leases?.extend?.(extensions);
    this.#environment.sent(this.#environment.attempt("extend", call).then(() => {}));
  }

  async #sendAcquisitions(requests: readonly LeaseAcquisition[], isBulk?: boolean): Promise<void> {
    const wanted = requests.map(({ storageKey, duration, steal, seen }) => ({
      key: storageKey,
      duration,
      steal,
      seen,
    }));
    noteChecked(wanted);
    const tellTime = this.#environment.clock.sent();
    const { answers, trouble } = await this.#answers("acquire", requests, (leases) =>
      leases.acquire(wanted, isBulk),
    );
    const [first] = answers;
    if (first?.outcome === "granted" && first.at !== undefined) tellTime(first.at);
    for (let place = 0; place < requests.length; place++) requests[place]?.acquired(answers[place], trouble);
  }

  async #sendFills(requests: readonly LeaseFill[], isBulk?: boolean): Promise<void> {
    const fillers: LeaseFill[] = [];
    const records: (StoredRecord & { readonly token: string })[] = [];
    for (const request of requests) {
      const record = request.record();
      if (record === undefined) request.filled(undefined, undefined);
      else {
        const { key, bytes, ttl, freshFor } = record;
        fillers.push(request);
        records.push({ key, bytes, ttl, freshFor, token: request.token });
      }
    }
    let sent = 0;
    for (const part of partsOf(records, this.#environment.bounds, ({ bytes }) => bytes.byteLength)) {
      noteChecked(part);
      const { answers, trouble } = await this.#answers("fill", part, (leases) => leases.fill(part, isBulk));
      for (let place = 0; place < part.length; place++)
        fillers[sent + place]?.filled(answers[place], trouble);
      sent += part.length;
    }
  }

  async #sendReleases(requests: readonly LeaseRelease[]): Promise<void> {
    const held = requests.map(({ storageKey, token }) => ({ key: storageKey, token }));
    const { answers } = await this.#answers("release", requests, (leases) => leases.release(held));
    for (const [place, { released }] of requests.entries()) released?.(answers[place]);
  }

  /** Makes a call that answers each request. The answers are empty if it fails. */
  async #answers<A>(
    operation: LeaseOperation,
    requests: readonly unknown[],
    call: (leases: Leases) => Promise<readonly A[]>,
  ): Promise<{ readonly answers: readonly A[]; readonly trouble: Error | undefined }> {
    let answers: readonly A[] = [];
    const trouble = await this.#environment.attempt(operation, async () => {
      const { leases } = this.#storage;
      if (leases === undefined) throw new Error("The storage does not support leases any more.");
      const answer = await call(leases);
      if (!Array.isArray(answer) || answer.length !== requests.length)
        throw this.#environment.wrongShape(operation, requests.length);
      answers = answer;
    });
    return { answers, trouble };
  }
}

/** A driver is foreign code, so it may answer anything. */
function notGranted(key: string): Error {
  return new Error(
    `Expected the lease of ${shownKey(key)} to be granted, because it was stolen. The storage's driver has a fault.`,
  );
}
