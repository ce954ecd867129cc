import type { Duplex } from "node:stream";
import { clearTimeout, cutOff, noAnswer, resetSocket, setTimeout } from "cacheme/driver";
import pg from "pg";
import { watchTransactions } from "./transaction-status.js";

type Connected = ((error: Error) => void) | ((error: null, client: pg.Client) => void);

/** What of a client's socket is used here. Over TLS it is another object, made while the client connects. */
interface Unreferenced {
  unref?(): unknown;
}

/**
 * A client of pg that never keeps a finished program alive, idle, at work or connecting: whoever waits for it has a
 * deadline, whose timer does. And its attempt to connect has an end, which a pool's own has only with a timer that keeps
 * the program alive.
 */
export class UnreferencedClient extends pg.Client {
  /** Resolves once the connection has ended. The client's own "end" comes by `process.nextTick`, which fake timers hold back. */
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
    // pg's types tell two forms of one function apart, of which a caller has either.
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

  /** A pool does so with what it lends. */
  ref(): void {}

  unref(): void {
    (this.connection.stream as Duplex & Unreferenced).unref?.();
  }

  /** Without a goodbye: the other side may not be there to take it. */
  hangUp(): void {
    // Under TLS the socket below is the one that can be reset.
    resetSocket(this.#socket);
    resetSocket(this.connection.stream);
  }
}

/** pg gives no code to the end of a connection. */
function told(error: Error | null): Error | null {
  return error?.message.startsWith("Connection terminated") ? cutOff(error.message) : error;
}
