import { cutOff, elapsed, type Member, Reconnector, type StorageCall, StorageError } from "cacheme/driver";
import type { Answer } from "./answers.js";
import { Batch } from "./commands.js";
import { Connection, type Exchange } from "./connection.js";
import { handshake, type ServerFacts, statsOf } from "./handshake.js";
import type { PoolServer, Settings } from "./options.js";
import { ofServer } from "./trouble.js";

/** Milliseconds after which the server's clock is read again, if an item needs it. */
const clockHolds = 60_000;

/** One memcached server: one connection after another. Each is ready after its handshake. */
export class Server implements Member {
  readonly name: string;
  readonly weight: number;
  readonly #settings: Settings;
  readonly #reconnector: Reconnector;
  #connection: Connection | undefined;
  #facts: ServerFacts | undefined;
  #number = 0;

  constructor(place: PoolServer, settings: Settings) {
    this.name = place.name;
    this.weight = place.weight;
    this.#settings = settings;
    this.#reconnector = new Reconnector({
      connectTimeout: settings.connectTimeout,
      dial: () => this.#dial(place),
      hangUp: (reason) => this.#connection?.drop(reason),
    });
  }

  get isReady(): boolean {
    return this.#reconnector.isReady;
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

  untilReady(): Promise<void> {
    return this.#reconnector.untilReady();
  }

  /**
   * Sends commands once the server is ready, and returns an answer for each, in order. Does not
   * settle if the deadline has passed before.
   *
   * @param write is called once, when the server is ready
   */
  ask(call: StorageCall, write: (batch: Batch) => void): Promise<readonly Answer[]> {
    return this.#exchange(call, (connection) => {
      const batch = new Batch();
      write(batch);
      return batch.commands === 0 ? undefined : connection.send(batch.chunks(), batch.commands);
    });
  }

  /** Sends commands without bytes. */
  send(call: StorageCall, commands: readonly string[]): Promise<readonly Answer[]> {
    return this.ask(call, (batch) => {
      for (const command of commands) batch.command(command);
    });
  }

  /** Sends `mg` for each name. An answer without its command's number may be another key's. */
  async get(
    call: StorageCall,
    names: readonly string[],
    flags: (index: number) => string,
  ): Promise<readonly Answer[]> {
    let first = 0;
    const answers = await this.ask(call, (batch) => {
      // No recent command on the connection has one of these numbers.
      first = this.#number;
      this.#number = (first + names.length) % 100_000;
      for (let index = 0; index < names.length; index++) {
        batch.command(`mg ${names[index]} ${flags(index)} O${first + index}`);
      }
    });
    for (let index = 0; index < answers.length; index++) {
      const answer = answers[index];
      // Some versions leave the number out of a miss; errors never have it.
      if (answer?.opaque === first + index || (answer?.opaque === -1 && answer.code !== "VA")) continue;
      const reason = new Error("the server's answers were out of step with what it was asked");
      this.#connection?.drop(reason);
      throw reason;
    }
    return answers;
  }

  /** Sends `stats`. */
  stats(call: StorageCall): Promise<readonly Answer[]> {
    return this.#exchange(call, (connection) => connection.send(["stats\r\n"], "END"));
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

  async #exchange(
    call: StorageCall,
    send: (connection: Connection) => Exchange | undefined,
  ): Promise<readonly Answer[]> {
    if (!this.isReady) await this.#untilReady(call);
    if (call.isLate) return new Promise<never>(() => {});
    const connection = this.#connection;
    if (connection === undefined) throw cutOff("the connection was lost");
    const exchange = send(connection);
    if (exchange === undefined) return [];
    call.whenLate(() => connection.giveUp(exchange, this.#settings.commandTimeout));
    const { promise } = exchange.answers;
    return this.#isOfPool ? promise.catch((error) => Promise.reject(ofServer(this.name, error))) : promise;
  }

  async #untilReady(call: StorageCall): Promise<void> {
    const { failure } = this.#reconnector;
    try {
      // While there is a failure, waiting is of no use.
      if (failure !== undefined) throw failure;
      await this.untilReady();
    } catch (error) {
      const mustName = this.#isOfPool && !(error instanceof StorageError);
      throw call.unreachable(mustName ? ofServer(this.name, error) : error);
    }
  }

  /** Whether there are other servers, so that an error must name this one. */
  get #isOfPool(): boolean {
    return this.#settings.servers.length > 1;
  }

  #dial({ host, port, name }: PoolServer): void {
    const { tls } = this.#settings;
    const label = `${tls === undefined ? "memcached" : "memcacheds"}://${name}`;
    const connection = new Connection(
      { host, port, tls },
      () => {
        handshake(connection, this.#settings, label).then(
          (facts) => {
            if (this.#connection !== connection) return;
            this.#facts = facts;
            this.#reconnector.ready();
          },
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

  /** Reads the server's clock in the background, for the next item that needs it. */
  #readClock(now: number): void {
    const facts = this.facts;
    // Until then the old time holds, as if it had been read now.
    this.#facts = { ...facts, time: now, heardAt: elapsed() };
    this.#connection?.send(["stats\r\n"], "END").answers.promise.then(
      (answers) => {
        const time = Number(statsOf(answers).get("time"));
        if (this.#facts?.run === facts.run && time > 0) this.#facts = { ...facts, time, heardAt: elapsed() };
      },
      () => {},
    );
  }
}
