import { clearTimeout, setTimeout } from "../timers.js";
import { backOff } from "./back-off.js";
import { noAnswer } from "./connect-trouble.js";
import { Deferred } from "./deferred.js";

/** The connection of a {@link Reconnector}. */
export interface ReconnectorOptions {
  /** Milliseconds that one attempt may take. */
  readonly connectTimeout: number;
  /**
   * Begins an attempt. Report its outcome by `ready` or `lost`.
   *
   * @param life aborts when the attempt has failed, when its connection was lost, or when the storage
   *   is closed. A client that is made asynchronously checks it before it reports.
   */
  dial(life: AbortSignal): void;
  /** Ends an attempt that has taken too long. `lost` follows. */
  hangUp(reason: Error): void;
  /** Whether attempts continue in the background before one has succeeded. Default `false`. */
  readonly isPersistent?: boolean | undefined;
  /**
   * Whether the client reconnects by itself, as a client of the program does. Then `dial` only
   * begins an attempt that the client has not begun. No attempt has a time limit, and none is made
   * in the background. Default `false`.
   */
  readonly isForeign?: boolean | undefined;
}

/**
 * Connects again after a connection to one server was lost. For authors of storages.
 *
 * - A call that finds the connection cut waits for the next attempt, up to its deadline.
 * - Once an attempt has failed, calls fail at once until the server is back. Attempts continue in
 *   the background, with growing pauses.
 * - A connection that was dropped because the server was silent counts as a failed attempt.
 *
 * No timer here keeps the process alive, because the timer of a waiting call's deadline does.
 */
export class Reconnector {
  readonly #options: ReconnectorOptions;
  #isPersistent: boolean;
  #isReady = false;
  #isDialing = false;
  #isClosed = false;
  #failure: Error | undefined;
  #attempts = 0;
  /** The end of this attempt's time, or the beginning of the next attempt. */
  #timer: NodeJS.Timeout | undefined;
  /** Aborts when the attempt has failed, or its connection was lost. */
  #life: AbortController | undefined;
  #pending: Deferred | undefined;

  constructor(options: ReconnectorOptions) {
    this.#options = options;
    this.#isPersistent = options.isPersistent === true;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** The reason why the server cannot be reached. While it is set, waiting is useless. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** Settles with the attempt that is under way, or with a new one. */
  untilReady(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(closed());
    this.#pending ??= new Deferred();
    const { promise } = this.#pending;
    if (!this.#isDialing) this.#attempt();
    return promise;
  }

  /**
   * Replaces a lost connection in the background from now on, and begins with it. A first success
   * does the same.
   */
  persist(): void {
    this.#isPersistent = true;
    if (!this.#isReady && !this.#isDialing && this.#timer === undefined) this.#attempt();
  }

  /** Reports a usable connection. Must be called when there is one. */
  ready(): void {
    this.#clearTimer();
    this.#isDialing = false;
    this.#isReady = true;
    this.#isPersistent = true;
    this.#attempts = 0;
    this.#failure = undefined;
    this.#pending?.resolve();
    this.#pending = undefined;
  }

  /**
   * Reports a lost connection or a failed attempt. Must be called for each.
   *
   * @param options.isSilent whether the connection was dropped because the server was silent; calls
   *   then fail until the next success
   */
  lost(reason: Error, { isSilent = false }: { readonly isSilent?: boolean } = {}): void {
    this.#clearTimer();
    this.#life?.abort();
    const isCut = this.#isReady && !isSilent;
    this.#isReady = false;
    this.#isDialing = false;
    if (this.#isClosed) return;
    // The end of a good connection may be a mere cut. The next attempt shows it.
    if (isCut && this.#isPersistent) this.#attempt();
    else this.#fail(reason);
  }

  /** Stops all attempts. Rejects waiting calls. */
  close(): void {
    this.#isClosed = true;
    this.#clearTimer();
    this.#life?.abort();
    this.#pending?.reject(closed());
    this.#pending = undefined;
  }

  #attempt(): void {
    this.#clearTimer();
    if (this.#isClosed) return;
    const { connectTimeout, isForeign } = this.#options;
    if (isForeign !== true) {
      this.#isDialing = true;
      const late = (): void => this.#options.hangUp(noAnswer(connectTimeout));
      this.#timer = setTimeout(late, connectTimeout).unref();
    }
    this.#life = new AbortController();
    this.#options.dial(this.#life.signal);
  }

  #fail(reason: Error): void {
    this.#pending?.reject(reason);
    this.#pending = undefined;
    const isForeign = this.#options.isForeign === true;
    if (isForeign || this.#isPersistent) this.#failure = reason;
    if (isForeign || !this.#isPersistent) return;
    this.#timer = setTimeout(() => this.#attempt(), backOff(this.#attempts++)).unref();
  }

  #clearTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function closed(): Error {
  return new Error("the storage was closed");
}
