import { isError } from "cacheme/driver";
import type { PoolConnection } from "mysql2";
import type { Client } from "./client.js";

/** A parameter of a statement. */
export type Parameter = Buffer | string | number | null;

/** What a statement that answers with no rows has done. */
interface Done {
  readonly affectedRows: number;
}

/** A statement was the loser of a deadlock, or has waited too long for a lock: it was undone, and may be tried again. */
const lockErrors: ReadonlySet<unknown> = new Set([1205, 1213]);

/**
 * What the server says of a connection that is of no more use: it has forgotten a prepared statement, or has become
 * read-only, as the old primary does after a fail-over.
 */
const staleErrors: ReadonlySet<unknown> = new Set([1243, 1290, 1615, 1792, 1836]);

/** The one connection on which the statements of one call are sent, one after the other. */
export class Session {
  readonly #client: Client;
  #connection: PoolConnection | undefined;
  #isOver = false;

  constructor(client: Client) {
    this.#client = client;
  }

  /** Takes a connection for as long as `act` runs. */
  async use<T>(act: (session: Session) => Promise<T>): Promise<T> {
    const connection = await this.#client.take();
    if (this.#isOver) {
      // It has come too late for this call, and is as good as new.
      connection.release();
      throw gaveUp();
    }
    this.#connection = connection;
    try {
      return await act(this);
    } catch (error) {
      if (isOf(staleErrors, error)) this.giveUp();
      throw error;
    } finally {
      if (!this.#isOver) this.#client.giveBack(connection);
      this.#isOver = true;
    }
  }

  /** Nothing more is sent, and the connection is dropped: nobody waits for its answer. */
  giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#connection !== undefined) this.#client.drop(this.#connection);
  }

  /** Rows as arrays of columns. */
  async rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly (readonly unknown[])[]> {
    const found = await this.#answer(sql, parameters);
    if (Array.isArray(found)) return found;
    throw new Error("the server answered without rows");
  }

  /** How many rows were inserted, updated or removed. */
  async change(sql: string, parameters: readonly Parameter[] = []): Promise<number> {
    // mysql2's own type of it is that of every answer there may be.
    return ((await this.#answer(sql, parameters)) as Done).affectedRows;
  }

  async #answer(sql: string, parameters: readonly Parameter[]): Promise<unknown> {
    try {
      return await this.#send(sql, parameters);
    } catch (error) {
      if (!isOf(lockErrors, error)) throw error;
      return this.#send(sql, parameters);
    }
  }

  #send(sql: string, values: readonly Parameter[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#isOver || this.#connection === undefined) {
        reject(gaveUp());
        return;
      }
      const typeCast = typeof this.#connection.config.typeCast === "function" ? asUsual : true;
      const options = { ...plainAnswers, typeCast, sql, values: [...values] };
      this.#connection.execute(options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }
}

/** A pool of the program's may have other answers in mind: this is how ours are read, whatever it was told. */
const plainAnswers = { rowsAsArray: true, nestTables: false, namedPlaceholders: false } as const;

/** A function of the pool's own could only be overruled by another one. */
function asUsual(_field: unknown, next: () => unknown): unknown {
  return next();
}

/** The server's number for an error, such as 1213. Those of the system are negative. */
export function numberOf(error: unknown): number | undefined {
  const number: unknown = isError(error) ? Reflect.get(error, "errno") : undefined;
  return typeof number === "number" && number > 0 ? number : undefined;
}

function isOf(numbers: ReadonlySet<unknown>, error: unknown): boolean {
  return numbers.has(numberOf(error));
}

/** Nobody sees it: the call was rejected when its deadline passed. */
function gaveUp(): Error {
  return new Error("the call was given up");
}
