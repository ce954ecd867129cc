import type { Duplex } from "node:stream";
import { clearTimeout, elapsed, isError, resetSocket, type StorageCall, setTimeout } from "cacheme/driver";
import pg from "pg";
import type { Settings } from "./options.js";
import type { PostgresAnswer, PostgresPool, PostgresPoolClient, PostgresQuery } from "./pool.js";
import { isInTransaction, OpenTransaction, watchTransactions } from "./transaction-status.js";
import { UnreferencedClient } from "./unreferenced-client.js";

/** The use of a connection by one call. */
export class Turn {
  /** The time of its beginning, on the clock of `performance.now()`. */
  readonly began: number = elapsed();
  /** Whether its deadline has passed: nothing may be sent for it any more. */
  isOver = false;
  /** The connection that works for it now. */
  client: PostgresPoolClient | undefined;
  readonly #call: StorageCall | undefined;

  /** @param call `undefined` while the storage is opened */
  constructor(call: StorageCall | undefined = undefined) {
    this.#call = call;
  }

  /**
   * Returns the error of a server that cannot be reached. While the storage is opened, every error
   * is one.
   */
  unreachable(error: unknown): unknown {
    return this.#call?.unreachable(error) ?? error;
  }
}

/**
 * The connections of one storage, lent by a pool of pg for one statement at a time.
 *
 * It adds to the pool:
 *
 * - Only as many calls ask the pool for a connection as it can lend. The others wait here, so a
 *   call whose deadline passes can leave the queue.
 * - The connection of a late call is destroyed, with the statement in it.
 * - An idle connection that has not answered since the late call began is destroyed when it is
 *   borrowed next. A pool would keep the dead sockets of a server that hung or of a network that
 *   was cut.
 * - A connection with an open transaction is destroyed.
 */
export class Connections {
  readonly #pool: PostgresPool;
  /** The same pool if the storage made it, and so closes it. */
  readonly #own: pg.Pool | undefined;
  readonly #clients = new Set<UnreferencedClient>();
  readonly #waiting = new Map<Turn, () => void>();
  readonly #heard = new WeakMap<PostgresPoolClient, number>();
  #free: number;
  /** A connection that answered last before this time is not trusted. */
  #suspectBefore = Number.NEGATIVE_INFINITY;

  constructor({ pool, config, max, connectTimeout }: Settings) {
    this.#own = pool === undefined ? this.#make(config, connectTimeout) : undefined;
    this.#pool = pool ?? (this.#own as PostgresPool);
    this.#free = max;
  }

  /** Sends one statement. Does not settle after the turn is over. */
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

  /**
   * Closes the storage's own sockets: with a goodbye if the server listens, and without one if it
   * does not.
   */
  async close(milliseconds: number): Promise<void> {
    if (this.#own === undefined) return;
    for (const client of this.#clients) if (client.isConnecting) client.hangUp();
    await this.#own.end();
    // The pool has sent its goodbyes, and does not wait for the sockets to close.
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
    // The pool passes its options to the class, which pg's types do not say.
    const pool = new pg.Pool({ ...config, Client: Client as unknown as new () => pg.ClientBase });
    // An idle connection was lost: the pool has removed it already.
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
        // The connection took longer than the call had. The next call can use it.
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

  /** Waits for the right to ask the pool. */
  #place(turn: Turn): Promise<void> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.set(turn, resolve);
    });
  }

  /** Gives the right to the call that waits longest. */
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

/**
 * Resets and releases in one go, so that the pool takes the socket's end, which follows, for its
 * own doing.
 */
function remove(client: PostgresPoolClient & { readonly connection?: { readonly stream?: Duplex } }): void {
  resetSocket(client.connection?.stream);
  client.release(true);
}

/**
 * Returns whether a connection is useless after an error. An error of the connection has no
 * severity (whose words are in the server's language). After some of its errors the server ends the
 * connection, or has lost the prepared statements, as after DISCARD ALL.
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
