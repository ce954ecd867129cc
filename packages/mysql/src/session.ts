import type { KeyFailures, StorageCall, StoredRecord } from "cacheme/driver";
import type { PoolConnection } from "mysql2";
import { roomOf, statements } from "./batch.js";
import type { Client } from "./client.js";
import type { Commands, Insert } from "./commands.js";
import { inLockOrder, type Row, recordSize } from "./record.js";
import type { ServerFacts } from "./server.js";
import { lockErrors, numberOf, RecordTooLarge } from "./server-errors.js";

/** A parameter of a statement. */
export type Parameter = Buffer | string | number | null;

/** A row that the server answers with, as an array of columns. */
export type Answer = readonly unknown[];

/** The answer of a statement that changes rows. */
interface Done {
  readonly affectedRows: number;
}

/**
 * Errors after which a connection is useless: it has forgotten a prepared statement, or has become
 * read-only, as an old primary does after a fail-over.
 */
const staleErrors: ReadonlySet<number | undefined> = new Set([1243, 1290, 1615, 1792, 1836]);

/** The connection on which a call sends its statements, one after the other. */
export class Session {
  readonly commands: Commands;
  readonly #client: Client;
  readonly #call: StorageCall | undefined;
  #connection: PoolConnection | undefined;
  #isOver = false;

  /** @param call `undefined` while the storage is opened */
  constructor(client: Client, commands: Commands, call: StorageCall | undefined = undefined) {
    this.#client = client;
    this.commands = commands;
    this.#call = call;
    call?.whenLate(() => this.giveUp());
  }

  /** The server's facts: they are known once the storage is open. */
  get server(): ServerFacts {
    if (this.#client.server === undefined) throw new Error("the storage is not open");
    return this.#client.server;
  }

  /** Takes a connection for as long as `act` runs. */
  async use<T>(act: (session: Session) => Promise<T>): Promise<T> {
    let connection: PoolConnection;
    try {
      connection = await this.#client.take();
    } catch (error) {
      throw this.#call?.unreachable(error) ?? error;
    }
    if (this.#isOver) {
      // It comes too late for this call, and is as good as new.
      connection.release();
      throw gaveUp();
    }
    this.#connection = connection;
    try {
      return await act(this);
    } catch (error) {
      if (staleErrors.has(numberOf(error))) this.giveUp();
      throw error;
    } finally {
      if (!this.#isOver) this.#client.giveBack(connection);
      this.#isOver = true;
    }
  }

  /** Drops the connection and sends nothing more, because nobody waits for the answer. */
  giveUp(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#connection !== undefined) this.#client.drop(this.#connection);
  }

  /** Sends a statement and returns its rows. */
  async rows(sql: string, parameters: readonly Parameter[] = []): Promise<readonly Answer[]> {
    const found = await this.#answer(sql, parameters);
    if (Array.isArray(found)) return found;
    throw new Error("the server answered without rows");
  }

  /** Sends a statement and returns how many rows it inserted, updated or removed. */
  async change(sql: string, parameters: readonly Parameter[] = []): Promise<number> {
    // mysql2's type is that of every possible answer.
    return ((await this.#answer(sql, parameters)) as Done).affectedRows;
  }

  /**
   * Returns the rows that an INSERT leaves: with the INSERT if the server can, else by a second
   * statement.
   */
  async insert({ sql, parameters, columns, ofColumns, ids }: Insert): Promise<readonly Answer[]> {
    if (this.server.returns) return this.rows(`${sql} RETURNING ${columns}`, [...parameters, ...ofColumns]);
    await this.change(sql, parameters);
    return this.rows(this.commands.reread(columns, ids.length), [...ofColumns, ...ids]);
  }

  /** Cuts a batch into statements that fit into the server's packets. */
  split<T>(rows: readonly Row<T>[], sizeOf: (row: Row<T>) => number): Row<T>[][] {
    return statements(rows, this.server.packet, sizeOf);
  }

  /** Returns the rows of the records that fit into the server's packets. */
  fitting<R extends StoredRecord>(records: readonly R[], failures: KeyFailures): readonly Row<R>[] {
    const { packet } = this.server;
    const room = roomOf(packet);
    return inLockOrder(records).filter((row) => {
      if (recordSize(row) <= room) return true;
      failures.add(row.item.key, new RecordTooLarge(row.item.bytes.byteLength, packet));
      return false;
    });
  }

  async #answer(sql: string, parameters: readonly Parameter[]): Promise<unknown> {
    try {
      return await this.#send(sql, parameters);
    } catch (error) {
      if (!lockErrors.has(numberOf(error))) throw error;
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

/** The form of the answers, whatever the settings of the program's pool are. */
const plainAnswers = { rowsAsArray: true, nestTables: false, namedPlaceholders: false } as const;

/** Replaces the pool's own function, which only another function can do. */
function asUsual(_field: unknown, next: () => unknown): unknown {
  return next();
}

/** An error that nobody sees, because the call was rejected when its deadline passed. */
function gaveUp(): Error {
  return new Error("the call was given up");
}
