import type { Duplex } from "node:stream";
import { clearTimeout, cutOff, noAnswer, resetSocket, setTimeout } from "cacheme/driver";
import pg from "pg";
import { watchTransactions } from "./transaction-status.js";

type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

/**
 * The part of a client's socket that is used here. Over TLS it is another object, made while the
 * client connects.
 */
interface Unreferenced {
  unref?(): unknown;
}

/**
 * A client of pg that never keeps a finished program alive, be it idle, at work or connecting: a
 * waiting call has a deadline, whose timer does. Its attempt to connect ends after a time; a pool
 * of pg has for that only a timer that keeps the program alive.
 */
export class UnreferencedClient extends pg.Client {
  /**
   * Resolves once the connection has ended. The client's own "end" comes by `process.nextTick`,
   * which fake timers hold back.
   */
  readonly ended: Promise<void>;
  readonly #connectTimeout: number;
  readonly #socket: Duplex;
  #isConnecting = false;

  constructor(config: pg.ClientConfig, connectTimeout: number) {
    super(config);
    this.#connectTimeout = connectTimeout;
    this.#socket = this.connection.stream;
    this.ended = new Promise((resolve) => this.connection.once("end", resolve));
    watchTransactions(this);
    this.connection.once("sslconnect", () => this.unref());
  }

  get isConnecting(): boolean {
    return this.#isConnecting;
  }

  override connect(): Promise<pg.Client>;
  override connect(callback: Connected): void;
  override connect(callback?: Connected): unknown {
    if (callback === undefined) {
      return new Promise<pg.Client>((resolve, reject) => {
        this.#connect((error) => (error === null ? resolve(this) : reject(error)));
      });
    }
    // pg's types have two forms of this function, and a caller has either.
    this.#connect(callback as (error: Error | null, client: pg.Client) => void);
    return undefined;
  }

  #connect(connected: (error: Error | null, client: pg.Client) => void): void {
    this.#isConnecting = true;
    let tooLong: Error | undefined;
    const timer = setTimeout(() => {
      tooLong = noAnswer(this.#connectTimeout);
      this.hangUp();
    }, this.#connectTimeout).unref();
    super.connect((error: Error | null | undefined) => {
      this.#isConnecting = false;
      clearTimeout(timer);
      this.unref();
      connected((error && tooLong) ?? told(error ?? null), this);
    });
    this.unref();
  }

  /** Does nothing, though a pool refs the client that it lends. */
  ref(): void {}

  unref(): void {
    (this.connection.stream as Duplex & Unreferenced).unref?.();
  }

  /** Ends the connection without a goodbye, because the server may not listen. */
  hangUp(): void {
    // Under TLS the socket below is the one that can be reset.
    resetSocket(this.#socket);
    resetSocket(this.connection.stream);
  }
}

/** Adds a code to the error of a connection that the server closed, because pg adds none. */
function told(error: Error | null): Error | null {
  return error?.message.startsWith("Connection terminated") ? cutOff(error.message) : error;
}
