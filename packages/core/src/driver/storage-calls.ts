import { asError, BatchError, closedStorage, StorageError } from "../errors.js";
import { clearTimeout, elapsed, setImmediate, setTimeout } from "../timers.js";
import { connectError, noAnswer, words } from "./connect-trouble.js";
import type { ConnectionSettings } from "./connection-options.js";
import { FailedKeys } from "./failed-keys.js";
import { type Trial, tryCalls } from "./trial.js";

/** The settings and functions of a driver that {@link StorageCalls} needs. */
export interface StorageCallsOptions extends ConnectionSettings {
  /** The storage's name in messages. It never holds a password. */
  readonly label: string;
  /**
   * Makes the storage ready for calls: a first connection, a table. After a failure the next call
   * tries again, until one attempt has succeeded. Two attempts never overlap.
   *
   * @param signal aborts when `connectTimeout` has passed
   */
  open(signal: AbortSignal): Promise<void>;
  /** Closes sockets and timers. Called once, when all calls have settled. */
  shut(): Promise<void>;
  /**
   * Returns a client's error that may be shown and kept, without passwords and sent values.
   * Default: unchanged.
   */
  clean?(error: Error): Error;
  /**
   * Returns advice for an error of a call, a sentence. Default: the storage's own words give the
   * reason.
   */
  advice?(error: Error): string;
  /**
   * The advice if no connection can be made, a sentence. Default: to check the server and its
   * address.
   */
  readonly connectAdvice?: string | ((error: Error) => string) | undefined;
  /**
   * Returns whether an error of opening has the server's own words, so the server was reached.
   * Default: unknown.
   */
  isAnswer?(error: Error): boolean;
  /**
   * Returns advice for an error with which the server refused the connection, a sentence. Default:
   * to check the account.
   */
  refusalAdvice?(error: Error): string | undefined;
  /**
   * One call of each kind, tried after the storage was opened and before it counts as open. Other
   * calls meanwhile continue.
   */
  readonly trial?: Trial | undefined;
}

/** One call that is under way. */
export interface StorageCall {
  /**
   * Whether the deadline has passed. Nothing must be sent any more, because nobody waits for the
   * answer.
   */
  readonly isLate: boolean;
  /** Aborts when the deadline passes. */
  readonly signal: AbortSignal;
  /**
   * Calls the listener if the deadline passes before the call has settled. Add the listener before
   * the first `await`.
   */
  whenLate(listener: () => void): void;
  /**
   * Returns the error of a server that cannot be reached: throw it, and the caller gets it
   * unchanged.
   */
  unreachable(error: unknown): StorageError;
  /**
   * Makes another call with its own deadline, to undo work that this call did after its deadline.
   */
  another<T>(action: string, act: (call: StorageCall) => Promise<T>): Promise<T>;
}

/**
 * Does the work that every remote storage does around its commands. It opens once, gives each call
 * a deadline, and adds the storage's name and a remedy to errors. It closes when the last call has
 * settled. For authors of storages.
 *
 * Every call rejects with a `StorageError`. The code is `CACHEME_CONNECT_FAILED` if the storage
 * could not be reached. It is `CACHEME_CONNECT_REFUSED` or `CACHEME_UNSUPPORTED_SERVER` if the
 * storage was reached but cannot be used. It is `CACHEME_STORAGE_FAILED` if the storage answered
 * with an error or not in time, and `CACHEME_CLOSED` after `close()`.
 *
 * @example
 * ```ts
 * const calls = new StorageCalls({ ...connectionSettings(options, "couch()"), label, open, shut });
 * const found = await calls.run("a read", ({ signal }) => client.find(keys, { signal }));
 * ```
 */
export class StorageCalls {
  readonly #options: StorageCallsOptions;
  #isOpen = false;
  #opening: Promise<void> | undefined;
  /** The end of the opening's time. */
  #openingTimer: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;
  #underway = 0;
  #drained: () => void = () => {};

  constructor(options: StorageCallsOptions) {
    this.#options = options;
  }

  /** Connects, as `RemoteStorage.connect` must. */
  async connect(): Promise<void> {
    if (this.#closing !== undefined) throw this.closed();
    const opened = this.#opened();
    if (this.#options.connect === "lazy") return;
    await opened;
  }

  /**
   * Closes, as `RemoteStorage.close` must. Calls under way are answered first; each has its
   * deadline.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /**
   * Makes one call within the deadline, after the storage was opened.
   *
   * @param action the operation's name for messages, such as `"a read"`
   * @param act called at most once, and not after the deadline
   * @throws StorageError within the deadline
   */
  run<T>(action: string, act: (call: StorageCall) => Promise<T>): Promise<T> {
    if (this.#closing !== undefined) return Promise.reject(this.closed());
    const { commandTimeout } = this.#options;
    this.#underway++;
    return new Promise((resolve, reject) => {
      const call = new RunningCall(this);
      const settle = (): void => {
        call.isLate = true;
        clearTimeout(timer);
        if (--this.#underway === 0) this.#drained();
      };
      const late = (): void => {
        if (call.isLate) return;
        settle();
        // Rejects first, because a late call may reject its own promise with an error that says
        // less.
        reject(this.#late(action));
        call.end();
      };
      (this.#isOpen ? begin(() => act(call)) : this.#afterOpening(() => act(call), call)).then(
        (value) => {
          if (call.isLate) return;
          settle();
          resolve(value);
        },
        (error: unknown) => {
          if (call.isLate) return;
          settle();
          reject(this.failed(action, error));
        },
      );
      // Timers count from the beginning of the event loop's turn. So they fire early after a busy
      // turn, such as one that made a large batch. The storage's time begins with the request. The
      // timer also keeps the process alive until the call has settled, because idle sockets do not.
      const asked = elapsed();
      const wait = (milliseconds: number): NodeJS.Timeout =>
        setTimeout(() => {
          const left = commandTimeout - (elapsed() - asked);
          if (left > 1) timer = wait(left);
          // After a busy time the answer may be unread in the socket. Sockets are read before
          // immediates run.
          else setImmediate(late);
        }, milliseconds);
      let timer = wait(commandTimeout);
    });
  }

  /** Returns the error of a call after `close()`. */
  closed(): StorageError {
    return closedStorage(this.#options.label);
  }

  /** Returns the error of a storage that was not reached, or that was reached and refused. */
  unreachable(error: unknown): StorageError {
    return error instanceof StorageError ? error : connectError(this.#clean(error), this.#options);
  }

  /** Returns the error of a failed call. */
  failed(action: string, error: unknown): Error {
    if (error instanceof StorageError) return error;
    const { label, advice } = this.#options;
    const cause = this.#clean(error instanceof FailedKeys ? error.first : error);
    const why = `${words(cause)}. ${advice?.(cause) ?? "The storage's own words say why."}`;
    if (error instanceof FailedKeys) {
      const message = `${label}: ${action} failed for ${error.summary}. The first key's error: ${why}`;
      return new BatchError(message, error.keys, { cause });
    }
    return new StorageError("CACHEME_STORAGE_FAILED", `${label}: ${action} failed: ${why}`, { cause });
  }

  async #afterOpening<T>(act: () => Promise<T>, call: StorageCall): Promise<T> {
    await this.#opened();
    return call.isLate ? new Promise<never>(() => {}) : act();
  }

  #opened(): Promise<void> {
    if (this.#isOpen) return Promise.resolve();
    if (this.#opening === undefined) {
      const opening = this.#open();
      this.#opening = opening;
      // If nobody waits, the failure is not an error: the next call tries again.
      opening
        .catch(() => {})
        .finally(() => {
          this.#opening = undefined;
        });
    }
    return this.#opening;
  }

  async #open(): Promise<void> {
    const { connectTimeout } = this.#options;
    const controller = new AbortController();
    const tooLong = noAnswer(connectTimeout);
    const late = new Promise<never>((_, reject) => {
      this.#openingTimer = setTimeout(() => {
        reject(tooLong);
        controller.abort(tooLong);
      }, connectTimeout);
      // A lazy storage without calls must not keep a finished program alive. A call has its own
      // timer.
      if (this.#options.connect === "lazy") this.#openingTimer.unref();
    });
    try {
      await Promise.race([begin(() => this.#options.open(controller.signal)), late]);
    } catch (error) {
      throw this.unreachable(error);
    } finally {
      clearTimeout(this.#openingTimer);
    }
    await this.#tried();
  }

  /** Runs the trial. Its own calls need an open storage, and have the deadline of each call. */
  async #tried(): Promise<void> {
    this.#isOpen = true;
    if (this.#options.trial === undefined) return;
    try {
      await tryCalls(this.#options.trial);
    } catch (error) {
      this.#isOpen = false;
      throw this.unreachable(error);
    }
  }

  async #close(): Promise<void> {
    if (this.#underway > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    // A caller waits from now on.
    this.#openingTimer?.ref();
    await this.#opening?.catch(() => {});
    await this.#options.shut();
  }

  #late(action: string): StorageError {
    const { label, commandTimeout } = this.#options;
    return new StorageError(
      "CACHEME_STORAGE_FAILED",
      `${label}: ${action} had no answer within ${commandTimeout} ms. Check that the storage is alive and not busy with ` +
        "something slow, or raise commandTimeout.",
      { isLate: true },
    );
  }

  #clean(thrown: unknown): Error {
    const error = asError(thrown);
    return this.#options.clean?.(error) ?? error;
  }
}

class RunningCall implements StorageCall {
  isLate = false;
  readonly #calls: StorageCalls;
  #listeners: (() => void)[] | undefined;
  /** Made only on demand, because it costs more than the rest of a call. */
  #controller: AbortController | undefined;

  constructor(calls: StorageCalls) {
    this.#calls = calls;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.isLate) this.#controller.abort();
    return this.#controller.signal;
  }

  whenLate(listener: () => void): void {
    this.#listeners ??= [];
    this.#listeners.push(listener);
  }

  unreachable(error: unknown): StorageError {
    return this.#calls.unreachable(error);
  }

  another<T>(action: string, act: (call: StorageCall) => Promise<T>): Promise<T> {
    return this.#calls.run(action, act);
  }

  /** Aborts the signal, and then calls the listeners. */
  end(): void {
    this.#controller?.abort();
    for (const listener of this.#listeners ?? []) listener();
  }
}

/** Calls a client that may throw although it promises to reject. */
function begin<T>(act: () => Promise<T>): Promise<T> {
  try {
    return act();
  } catch (error) {
    return Promise.reject(error);
  }
}
