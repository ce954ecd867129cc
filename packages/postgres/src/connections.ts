import type { Duplex } from "node:stream";
import {
  clearTimeout,
  codeOf,
  isError,
  type LendingCall,
  PoolLender,
  resetSocket,
  setTimeout,
} from "cacheme/driver";
import pg from "pg";
import type { Settings } from "./options.js";
import type { PostgresAnswer, PostgresPool, PostgresPoolClient, PostgresQuery } from "./pool.js";
import { isInTransaction, OpenTransaction, watchTransactions } from "./transaction-status.js";
import { UnreferencedClient } from "./unreferenced-client.js";

/**
 * The connections of one storage, lent for one statement at a time. A connection with an open
 * transaction is destroyed.
 */
export class Connections {
  readonly #lender: PoolLender<PostgresPoolClient>;
  /** The pool if the storage made it, and so closes it. */
  readonly #own: pg.Pool | undefined;
  readonly #clients = new Set<UnreferencedClient>();

  constructor({ pool, config, max, connectTimeout }: Settings) {
    this.#own = pool === undefined ? this.#make(config, connectTimeout) : undefined;
    // pg's pool has the part that the storage uses, which its types do not say.
    const lending = pool ?? (this.#own as PostgresPool);
    this.#lender = new PoolLender({
      max,
      take: () => lending.connect(),
      prepare,
      refuse,
      giveBack,
      destroy,
      isLost,
    });
  }

  /** Sends one statement. */
  ask(call: LendingCall, query: PostgresQuery): Promise<PostgresAnswer> {
    return this.#lender.use(call, (client) => client.query(query));
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
}

function prepare(client: PostgresPoolClient): Error | undefined {
  watchTransactions(client);
  client.on("error", ignore);
  return refuse(client);
}

function refuse(client: PostgresPoolClient): Error | undefined {
  return isInTransaction(client) ? new OpenTransaction() : undefined;
}

function giveBack(client: PostgresPoolClient): void {
  client.off("error", ignore);
  client.release();
}

/**
 * Resets and releases in one go, so that the pool takes the socket's end, which follows, for its
 * own doing.
 */
function destroy(client: PostgresPoolClient & { readonly connection?: { readonly stream?: Duplex } }): void {
  client.off("error", ignore);
  resetSocket(client.connection?.stream);
  client.release(true);
}

/**
 * Returns whether a connection is useless after an error. An error of the connection has no
 * severity (whose words are in the server's language). After some of its errors the server ends the
 * connection, or has lost the prepared statements, as after DISCARD ALL.
 */
function isLost(error: unknown, client: PostgresPoolClient): boolean {
  if (isInTransaction(client) || !(isError(error) && "severity" in error)) return true;
  return /^(?:08|57P|26000|42P05|$)/.test(codeOf(error));
}

function ignore(): void {
  // The query that is under way rejects with it.
}
