import { backOff, clearTimeout, Deferred, elapsed, setTimeout } from "cacheme/driver";
import type { Exchange } from "./exchange.js";
import { type Account, introduced } from "./introduction.js";
import type { Batch } from "./protocol.js";
import { type ServerFacts, statsOf } from "./server-facts.js";
import { type ServerAddress, Silence, Wire } from "./wire.js";

/** One server, as the options name it. */
export interface ServerSettings extends ServerAddress, Account {
  /** The server in messages, with its scheme and without a password. */
  readonly address: string;
  /** Milliseconds. */
  readonly connectTimeout: number;
}

/** After so many milliseconds the server is asked again what time it is, if that matters. */
const clockHolds = 60_000;

/**
 * The way to one server: a wire after another, each ready when the server has said who it is.
 *
 * - A call that finds the wire cut waits for the attempt that follows, up to its deadline.
 * - Once an attempt has failed, calls fail at once until the server is back; attempts go on in the background.
 * - A wire that is silent past a deadline is dropped, and the server counts as down until it answers again.
 *
 * No timer here keeps the process alive: whoever waits has a deadline, whose timer does.
 */
export class Connection {
  readonly label: string;
  readonly #settings: ServerSettings;
  #wire: Wire | undefined;
  #facts: ServerFacts | undefined;
  #isReady = false;
  #isClosed = false;
  /** Whether a lost wire is replaced without anybody asking. */
  #isPersistent = false;
  #failure: Error | undefined;
  #attempts = 0;
  /** The end of this attempt's time, or the beginning of the next one. */
  #timer: NodeJS.Timeout | undefined;
  #pending: Deferred | undefined;
  #number = 0;

  constructor(label: string, settings: ServerSettings) {
    this.label = label;
    this.#settings = settings;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Why the server cannot be reached. While it is set, to wait is of no use. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** What the server has said of itself. Known once it is ready, and from then on. */
  get facts(): ServerFacts {
    if (this.#facts === undefined) throw new Error("no connection was made yet");
    return this.#facts;
  }

  /** Whether the server that was reached last is a proxy. Not known before the first connection, and `false` until then. */
  get isProxy(): boolean {
    return this.#facts?.isProxy ?? false;
  }

  /** From now on a lost wire is replaced in the background. */
  persist(): void {
    this.#isPersistent = true;
    if (this.#wire === undefined && this.#timer === undefined) this.#attempt();
  }

  /** Settles with the attempt that is under way, or with a new one. */
  untilReady(): Promise<void> {
    if (this.#isReady) return Promise.resolve();
    if (this.#isClosed) return Promise.reject(new Error("the storage was closed"));
    this.#pending ??= new Deferred();
    const { promise } = this.#pending;
    if (this.#wire === undefined) this.#attempt();
    return promise;
  }

  /** Sends commands, which the caller has made when it was ready. */
  send(batch: Batch): Exchange {
    return this.#open.send(batch.chunks(), batch.commands);
  }

  /** Asks for `stats`. */
  stats(): Exchange {
    return this.#open.send(["stats\r\n"], "END");
  }

  /** Nobody waits for these answers any more. */
  giveUp(exchange: Exchange, milliseconds: number): void {
    this.#wire?.giveUp(exchange, milliseconds);
  }

  /** The first of so many numbers in a row that no command before them on the wire has had lately: short ones. */
  numbers(count: number): number {
    const first = this.#number;
    this.#number = (first + count) % 100_000;
    return first;
  }

  /** The answers are not those of the commands: nothing that comes on this wire can be trusted any more. */
  distrust(): Error {
    const reason = new Error("the server's answers were out of step with what it was asked");
    this.#wire?.drop(reason);
    return reason;
  }

  /**
   * The server's time in whole seconds since the epoch, for what must be told in its own terms. It may be up to two
   * seconds behind the server's, but not ahead: what lives up to a time may go sooner, and not later.
   */
  now(): number {
    const { time, heardAt } = this.facts;
    const age = elapsed() - heardAt;
    const now = time + Math.floor(age / 1000);
    if (age > clockHolds && this.#isReady) this.#lookAtClock(now);
    return now;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const reason = new Error("the storage was closed");
    this.#wire?.drop(reason);
    this.#pending?.reject(reason);
  }

  get #open(): Wire {
    if (this.#wire === undefined) throw new Error("the connection was lost");
    return this.#wire;
  }

  #attempt(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    const { connectTimeout } = this.#settings;
    const wire = new Wire(
      this.#settings,
      () => this.#greet(wire),
      (reason) => this.#lose(reason),
    );
    this.#wire = wire;
    const late = (): void => wire.drop(new Silence(connectTimeout));
    this.#timer = setTimeout(late, connectTimeout).unref();
  }

  #greet(wire: Wire): void {
    introduced(wire, this.#settings, this.#settings.address).then(
      (facts) => this.#meet(wire, facts),
      (error: Error) => wire.drop(error),
    );
  }

  #meet(wire: Wire, facts: ServerFacts): void {
    if (this.#wire !== wire) return;
    this.#facts = facts;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isReady = true;
    this.#attempts = 0;
    this.#failure = undefined;
    this.#pending?.resolve();
    this.#pending = undefined;
  }

  #lose(reason: Error): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wire = undefined;
    const wasReady = this.#isReady;
    this.#isReady = false;
    if (this.#isClosed) return;
    // The end of a good connection may be a mere cut, which the next attempt tells. Silence is trouble already.
    const isCut = wasReady && !(reason instanceof Silence);
    if (isCut && this.#isPersistent) this.#attempt();
    else this.#fail(reason);
  }

  #fail(reason: Error): void {
    this.#pending?.reject(reason);
    this.#pending = undefined;
    if (!this.#isPersistent) return;
    this.#failure = reason;
    this.#timer = setTimeout(() => this.#attempt(), backOff(this.#attempts++)).unref();
  }

  /** Asks for the time again. Nobody waits for it: the next one who needs it has it. */
  #lookAtClock(now: number): void {
    const facts = this.facts;
    // Until then the old time holds, as if it had been heard now.
    this.#facts = { ...facts, time: now, heardAt: elapsed() };
    this.stats().answers.then(
      (answers) => {
        const time = Number(statsOf(answers).get("time"));
        if (this.#facts?.run === facts.run && time > 0) {
          this.#facts = { ...facts, time, heardAt: elapsed() };
        }
      },
      () => {},
    );
  }
}
