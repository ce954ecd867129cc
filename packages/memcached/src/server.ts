import { cutOff, elapsed, type Member, Reconnector } from "cacheme/driver";
import type { Batch } from "./commands.js";
import { Connection } from "./connection.js";
import type { Exchange } from "./exchange.js";
import { handshake } from "./handshake.js";
import type { PoolServer, Settings } from "./options.js";
import { type ServerFacts, statsOf } from "./server-facts.js";

/** Milliseconds after which the server's clock is read again, if an item needs it. */
const clockHolds = 60_000;

/** One memcached server: one connection after another. Each is ready after its handshake. */
export class Server implements Member {
  readonly name: string;
  readonly weight: number;
  readonly #settings: Settings;
  readonly #place: PoolServer;
  readonly #reconnector: Reconnector;
  #connection: Connection | undefined;
  #facts: ServerFacts | undefined;
  #number = 0;

  constructor(place: PoolServer, settings: Settings) {
    this.name = place.name;
    this.weight = place.weight;
    this.#place = place;
    this.#settings = settings;
    this.#reconnector = new Reconnector({
      connectTimeout: settings.connectTimeout,
      dial: () => this.#dial(),
      hangUp: (reason) => this.#connection?.drop(reason),
    });
  }

  get isReady(): boolean {
    return this.#reconnector.isReady;
  }

  /** Why the server cannot be reached. While it is set, waiting is of no use. */
  get failure(): Error | undefined {
    return this.#reconnector.failure;
  }

  /** The server's properties, known since it was ready for the first time. */
  get facts(): ServerFacts {
    if (this.#facts === undefined) throw new Error("no connection was made yet");
    return this.#facts;
  }

  /** Whether the last server that was reached is a proxy. `false` before the first connection. */
  get isProxy(): boolean {
    return this.#facts?.isProxy ?? false;
  }

  /** Replaces a lost connection in the background from now on. */
  persist(): void {
    this.#reconnector.persist();
  }

  /** Settles with the attempt that is under way, or with a new one. */
  untilReady(): Promise<void> {
    return this.#reconnector.untilReady();
  }

  /** Sends commands, which the caller has made when the server was ready. */
  send(batch: Batch): Exchange {
    return this.#open.send(batch.chunks(), batch.commands);
  }

  /** Sends `stats`. */
  stats(): Exchange {
    return this.#open.send(["stats\r\n"], "END");
  }

  /** Handles an exchange whose deadline has passed. */
  giveUp(exchange: Exchange): void {
    this.#connection?.giveUp(exchange, this.#settings.commandTimeout);
  }

  /** Returns the first of so many numbers in a row that no recent command on the connection has. */
  numbers(count: number): number {
    const first = this.#number;
    this.#number = (first + count) % 100_000;
    return first;
  }

  /** Drops the connection, because its answers are not those of the commands. */
  distrust(): Error {
    const reason = new Error("the server's answers were out of step with what it was asked");
    this.#connection?.drop(reason);
    return reason;
  }

  /**
   * Returns the server's time in whole seconds since the epoch. It may be up to two seconds behind
   * the server's clock, but not ahead of it, so an item that is kept up to such a time may go
   * sooner, and not later.
   */
  now(): number {
    const { time, heardAt } = this.facts;
    const age = elapsed() - heardAt;
    const now = time + Math.floor(age / 1000);
    if (age > clockHolds && this.isReady) this.#readClock(now);
    return now;
  }

  close(): void {
    this.#reconnector.close();
    this.#connection?.drop(new Error("the storage was closed"));
  }

  get #open(): Connection {
    if (this.#connection === undefined) throw cutOff("the connection was lost");
    return this.#connection;
  }

  #dial(): void {
    const { host, port, name } = this.#place;
    const { tls } = this.#settings;
    const label = `${tls === undefined ? "memcached" : "memcacheds"}://${name}`;
    const connection = new Connection(
      { host, port, tls },
      () => {
        handshake(connection, this.#settings, label).then(
          (facts) => this.#ready(connection, facts),
          (error: Error) => connection.drop(error),
        );
      },
      (reason) => {
        this.#connection = undefined;
        this.#reconnector.lost(reason, { isSilent: connection.isSilent });
      },
    );
    this.#connection = connection;
  }

  #ready(connection: Connection, facts: ServerFacts): void {
    if (this.#connection !== connection) return;
    this.#facts = facts;
    this.#reconnector.ready();
  }

  /** Reads the server's clock in the background, for the next item that needs it. */
  #readClock(now: number): void {
    const facts = this.facts;
    // Until then the old time holds, as if it had been read now.
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
