import type { AnswerRows, LendingCall } from "cacheme/driver";
import type { PoolConnection } from "mysql2";
import { padded, statements } from "./batch.js";
import type { Commands, Insert } from "./commands.js";
import type { ServerFacts } from "./server.js";
import { serverErrors } from "./server-errors.js";

/** A parameter of a statement. */
export type Parameter = Buffer | string | number | null;

/** A connection on which a call sends its statements, one after the other. */
export class Session {
  readonly commands: Commands;
  readonly #connection: PoolConnection;
  readonly #call: LendingCall;
  readonly #server: ServerFacts | undefined;

  constructor(
    connection: PoolConnection,
    call: LendingCall,
    { commands, server }: { readonly commands: Commands; readonly server: ServerFacts | undefined },
  ) {
    this.#connection = connection;
    this.#call = call;
    this.commands = commands;
    this.#server = server;
  }

  /** The server's facts: they are known once the storage is open. */
  get server(): ServerFacts {
    if (this.#server === undefined) throw new Error("the storage is not open");
    return this.#server;
  }

  /** Sends a statement and returns its rows. */
  async rows(sql: string, parameters: readonly Parameter[] = []): Promise<AnswerRows> {
    const found = await this.#answer(sql, parameters);
    if (Array.isArray(found)) return found;
    throw new Error("the server answered without rows");
  }

  /** Sends a statement and returns how many rows it inserted, updated or removed. */
  async change(sql: string, parameters: readonly Parameter[] = []): Promise<number> {
    // mysql2's type is that of every possible answer.
    return ((await this.#answer(sql, parameters)) as { readonly affectedRows: number }).affectedRows;
  }

  /**
   * Returns the rows that an INSERT leaves: with the INSERT if the server can, else by a second
   * statement.
   */
  async insert({ sql, parameters, columns, ofColumns, ids }: Insert): Promise<AnswerRows> {
    if (this.server.returns) return this.rows(`${sql} RETURNING ${columns}`, [...parameters, ...ofColumns]);
    await this.change(sql, parameters);
    return this.rows(this.commands.reread(columns, ids.length), [...ofColumns, ...ids]);
  }

  /**
   * Cuts a batch into statements that fit into the server's packets, and returns the answers of
   * all.
   *
   * @param send sends the rows of a statement, some of them repeated; `part` has each row once
   */
  async batch<Row, Answer>(
    rows: readonly Row[],
    sizeOf: (row: Row) => number,
    send: (rows: readonly Row[], part: readonly Row[]) => Promise<readonly Answer[]>,
  ): Promise<readonly Answer[]> {
    const parts = statements(rows, this.server.packet, sizeOf);
    const answers: (readonly Answer[])[] = [];
    for (const part of parts) answers.push(await send(padded(part, sizeOf), part));
    return answers.length === 1 ? (answers[0] ?? []) : answers.flat();
  }

  async #answer(sql: string, parameters: readonly Parameter[]): Promise<unknown> {
    try {
      return await this.#send(sql, parameters);
    } catch (error) {
      if (!serverErrors.isConflict(error)) throw error;
      return this.#send(sql, parameters);
    }
  }

  #send(sql: string, values: readonly Parameter[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Nobody waits for the answer of a late call, and its connection is destroyed.
      if (this.#call.isLate) {
        reject(new Error("the call is late"));
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
