import type { Duplex } from "node:stream";
import { clearTimeout, elapsed, isError, resetSocket, type StorageCall, setTimeout } from "cacheme/driver";
import pg from "pg";
import type { Settings } from "./options.js";
import type { PostgresAnswer, PostgresPool, PostgresPoolClient, PostgresQuery } from "./pool.js";
import { isInTransaction, OpenTransaction, watchTransactions } from "./transaction-status.js";
import { UnreferencedClient } from "./unreferenced-client.js";

/** One call's way to a connection and back. */
export class Turn {
  /** When it began, on the clock of `performance.now()`. */
  readonly began: number = elapsed();
  /** Whether its deadline has passed: nothing is to be sent for it any more. */
  isOver = false;
  /** The connection that works for it now. */
  client: PostgresPoolClient | undefined;
  readonly #call: StorageCall | undefined;

  /** @param call `undefined` while the storage is opened */
  constructor(call: StorageCall | undefined = undefined) {
    this.#call = call;
  }

  /** Returns the error of a server that cannot be reached. While the storage is opened, every error is one. */
  unreachable(error: unknown): unknown {
    return this.#call?.unreachable(error) ?? error;
  }
}

/**
 * The connections of one storage, lent by a pool of pg for one statement at a time.
 *
 * What is added to the pool: no more calls ask it for a connection than it can lend, and the others wait here, where one
 * that is over can leave the queue; the connection of a call that is over is destroyed, with the statement in it; and so is
 * every idle one that has not been heard of since that call began, when it is its turn, since a pool would keep the dead
 * sockets of a server that hung or a network that parted. A connection on which a transaction is open is destroyed too.
 */
export class Connections {
  readonly #pool: PostgresPool;
  /** The same pool if it is ours to close. */
  readonly #own: pg.Pool | undefined;
  readonly #clients = new Set<UnreferencedClient>();
  readonly #waiting = new Map<Turn, () => void>();
  readonly #heard = new WeakMap<PostgresPoolClient, number>();
  #free: number;
  /** A connection that was last heard of before is not to be trusted. */
  #suspectBefore = Number.NEGATIVE_INFINITY;

  constructor({ pool, config, max, connectTimeout }: Settings) {
    this.#own = pool === undefined ? this.#make(config, connectTimeout) : undefined;
    this.#pool = pool ?? (this.#own as PostgresPool);
    this.#free = max;
  }

  /** Sends one statement. Does not settle once the turn is over. */
  async ask(turn: Turn, query: PostgresQuery): Promise<PostgresAnswer> {
    const client = await this.#borrow(turn);
    let answer: PostgresAnswer;
    try {
      answer = await client.query(query);
    } catch (error) {
      this.#giveBack(turn, isLost(error) || isInTransaction(client));
      throw error;
    }
    const isOpen = isInTransaction(client);
    this.#giveBack(turn, isOpen);
    if (isOpen) throw turn.unreachable(new OpenTransaction());
    return answer;
  }

  /** Ends a turn whose deadline has passed: it leaves the queue, or its connection is destroyed. */
  drop(turn: Turn): void {
    turn.isOver = true;
    this.#waiting.delete(turn);
    if (turn.client === undefined) return;
    this.#suspectBefore = Math.max(this.#suspectBefore, turn.began);
    this.#giveBack(turn, true);
  }

  /** Gives back the sockets of ours: with a goodbye to a server that listens, and without one to one that does not. */
  async close(milliseconds: number): Promise<void> {
    if (this.#own === undefined) return;
    for (const client of this.#clients) if (client.isConnecting) client.hangUp();
    await this.#own.end();
    // The pool has said its goodbyes, and does not wait for what comes of them.
    const ended = [...this.#clients].map((client) => client.ended);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        for (const client of this.#clients) client.hangUp();
        resolve();
      }, milliseconds);
    });
    await Promise.race([Promise.all(ended), late]);
    clearTimeout(timer);
  }

  #make(config: object, connectTimeout: number): pg.Pool {
    const clients = this.#clients;
    class Client extends UnreferencedClient {
      constructor(given: pg.ClientConfig) {
        super(given, connectTimeout);
        clients.add(this);
        void this.ended.then(() => clients.delete(this));
      }
    }
    // The pool hands its options to the class that it is given, which pg's types do not say.
    const pool = new pg.Pool({ ...config, Client: Client as unknown as new () => pg.ClientBase });
    // An idle connection that was lost: the pool has removed it already.
    pool.on("error", () => {});
    return pool;
  }

  async #borrow(turn: Turn): Promise<PostgresPoolClient> {
    const place = this.#place(turn);
    if (place !== undefined) await place;
    for (;;) {
      let client: PostgresPoolClient;
      try {
        client = await this.#pool.connect();
      } catch (error) {
        this.#leave();
        throw turn.unreachable(error);
      }
      if (turn.isOver) {
        // The connection took longer than the call had. It will do for the next one.
        client.release();
        this.#leave();
        return never();
      }
      watchTransactions(client);
      if (isInTransaction(client)) {
        remove(client);
        this.#leave();
        throw turn.unreachable(new OpenTransaction());
      }
      if ((this.#heard.get(client) ?? turn.began) < this.#suspectBefore) {
        remove(client);
        continue;
      }
      client.on("error", ignore);
      turn.client = client;
      return client;
    }
  }

  /** The right to ask the pool. */
  #place(turn: Turn): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.set(turn, resolve);
    });
  }

  /** Whoever waits longest is next. */
  #leave(): void {
    for (const [turn, begin] of this.#waiting) {
      this.#waiting.delete(turn);
      begin();
      return;
    }
    this.#free++;
  }

  #giveBack(turn: Turn, isLost: boolean): void {
    const { client } = turn;
    if (client === undefined) return;
    turn.client = undefined;
    client.off("error", ignore);
    if (isLost) {
      remove(client);
    } else {
      this.#heard.set(client, elapsed());
      client.release();
    }
    this.#leave();
  }
}

/** In one go, so that the pool takes the end of the socket, which it hears of later, for its own doing. */
function remove(client: PostgresPoolClient & { readonly connection?: { readonly stream?: Duplex } }): void {
  resetSocket(client.connection?.stream);
  client.release(true);
}

/**
 * An error of the connection has no severity (whose words are in the server's language). After some of the server's own it
 * ends the connection too, or has lost the statements that were prepared on it, as after DISCARD ALL.
 */
function isLost(error: unknown): boolean {
  if (!(isError(error) && "severity" in error && "code" in error)) return true;
  return /^(?:08|57P|26000|42P05)/.test(String(error.code));
}

function ignore(): void {
  // The query that is under way rejects with it.
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}
