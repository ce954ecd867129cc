import type { Clock } from "../../clock.js";
import { asError, StorageError } from "../../errors.js";
import type { BreakerState, StorageOperation } from "../../events.js";
import { Breaker } from "./breaker.js";
import type { GuardSettings } from "./guard-options.js";
import { RunningCalls } from "./running-calls.js";
import { isUnanswered } from "./trouble.js";

/** The storage that a guard protects its callers from. */
export interface GuardedStorage {
  /** The registered name. */
  readonly name: string;
  /** The storage's own name in messages. */
  readonly label: string;
  ping(): Promise<unknown>;
}

/**
 * The shortest deadline of the calls that are made before the storage has ever answered. A lazy
 * storage connects in its first call.
 */
const shortestFirst = 2_000;

/** The longest time, after its deadline, for which a write counts as running, in milliseconds. */
const longestRunning = 2_000;

/** The ends of writes that were answered by their deadline, by the error. */
const ends = new WeakMap<Error, Promise<void>>();

/**
 * Returns a promise for the real end of the write that failed with this error, if the write was
 * given up at its deadline. Until then the storage may still carry it out. A driver that never
 * settles ends it after 2 seconds.
 */
export function endOf(error: Error): Promise<void> | undefined {
  return ends.get(error);
}

/**
 * Stands between the callers and a remote storage. Each call passes through {@link run}, which
 * bounds its time and refuses it while the storage is known not to answer.
 */
export class Guard {
  readonly #storage: GuardedStorage;
  readonly #deadline: number | undefined;
  readonly #breaker: Breaker | undefined;
  readonly #clock: Clock;
  readonly #calls: RunningCalls;
  readonly #answered: () => void;
  #hasSettled = false;
  #isStopped = false;
  /** The error of the last call that opened the breaker, or would have. */
  #lastFailure: Error | undefined;

  /**
   * @param changed called whenever the breaker's state changes, with the last failure
   * @param answered called when the storage has answered a call
   */
  constructor(
    storage: GuardedStorage,
    { deadline, breaker }: GuardSettings,
    clock: Clock,
    changed: (state: BreakerState, error: Error | undefined) => void,
    answered: () => void,
  ) {
    this.#storage = storage;
    this.#deadline = deadline;
    this.#clock = clock;
    this.#calls = new RunningCalls(clock);
    this.#answered = answered;
    if (breaker === undefined) return;
    this.#breaker = new Breaker(
      breaker,
      clock,
      () => this.insist("ping", () => storage.ping()),
      (state) => changed(state, state === "closed" ? undefined : this.#lastFailure),
    );
  }

  /** The breaker's state; `undefined` without a breaker. */
  get breaker(): BreakerState | undefined {
    return this.#breaker?.state;
  }

  /** Whether calls are made, and not refused. */
  get isCallable(): boolean {
    return this.#isStopped || (this.#breaker?.isClosed ?? true);
  }

  /**
   * Makes one call. The deadline counts from now.
   *
   * @param call called at most once; may throw
   * @throws StorageError `CACHEME_BREAKER_OPEN` at once if the breaker is open;
   *   `CACHEME_STORAGE_FAILED` with `isLate` at the deadline. All else is the storage's own error
   */
  run<T>(operation: StorageOperation, call: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => this.attempt(operation, call, resolve, reject));
  }

  /** Does what {@link run} does, without a promise for the answer. The functions must not throw. */
  attempt<T>(
    operation: StorageOperation,
    call: () => Promise<T>,
    resolve: (answer: T) => void,
    reject: (error: Error) => void,
  ): void {
    if (this.isCallable) this.#make(operation, call, this.#deadlineNow(), resolve, reject);
    else reject(this.#open(operation));
  }

  /** Makes one call that is not refused while the breaker is open. */
  insist<T>(operation: StorageOperation, call: () => Promise<T>, deadline?: number): Promise<T> {
    const longest = this.#deadline === undefined ? undefined : (deadline ?? this.#deadline);
    return new Promise((resolve, reject) => this.#make(operation, call, longest, resolve, reject));
  }

  /**
   * Stops trying a storage that does not answer. From now on each call is made: the last ones
   * before the storage is closed.
   */
  stop(): void {
    this.#isStopped = true;
    this.#breaker?.stop();
  }

  #deadlineNow(): number | undefined {
    const deadline = this.#deadline;
    return this.#hasSettled || deadline === undefined ? deadline : Math.max(deadline, shortestFirst);
  }

  #make<T>(
    operation: StorageOperation,
    call: () => Promise<T>,
    deadline: number | undefined,
    resolve: (answer: T) => void,
    reject: (error: Error) => void,
  ): void {
    let ended: (() => void) | undefined;
    const late = () => {
      const error = this.#late(operation, deadline ?? 0);
      // Nothing else changes a value late: a fill needs its token, which every removal destroys.
      if (operation === "write") {
        const end = new Promise<void>((resolve) => {
          const stop = this.#clock.schedule(resolve, longestRunning);
          ended = () => {
            stop();
            resolve();
          };
        });
        ends.set(error, end);
      }
      this.#failed(error);
      reject(error);
    };
    const running = deadline === undefined ? undefined : this.#calls.begin(deadline, late);
    begin(call).then(
      (answer) => {
        if (running !== undefined && !this.#calls.end(running)) {
          ended?.();
          return;
        }
        this.#succeeded();
        resolve(answer);
      },
      (thrown: unknown) => {
        if (running !== undefined && !this.#calls.end(running)) {
          ended?.();
          return;
        }
        const error = asError(thrown);
        if (isUnanswered(error)) this.#failed(error);
        else this.#succeeded();
        reject(error);
      },
    );
  }

  #succeeded(): void {
    this.#hasSettled = true;
    this.#breaker?.succeeded();
    this.#answered();
  }

  #failed(error: Error): void {
    this.#hasSettled = true;
    this.#lastFailure = error;
    this.#breaker?.failed(error);
  }

  #late(operation: StorageOperation, deadline: number): StorageError {
    const { name, label } = this.#storage;
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `Storage "${name}" (${label}) did not answer within ${deadline} ms (operation: ${operation}). Check that the storage is ` +
        "alive, or raise the option deadline of registerStorage.",
      { storage: name, isLate: true },
    );
  }

  #open(operation: StorageOperation): StorageError {
    const { name, label } = this.#storage;
    return new StorageError(
      "CACHEME_BREAKER_OPEN",
      `Storage "${name}" (${label}) was not called (operation: ${operation}), because it has stopped answering. A call in the ` +
        "background tries it again. The cause is its last failure.",
      { storage: name, cause: this.#lastFailure },
    );
  }
}

/** Calls a driver that may throw although it promises to reject. */
function begin<T>(call: () => Promise<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (error) {
    return Promise.reject(error);
  }
}
