import type { AnswerRows, LendingCall, TableRow } from "cacheme/driver";
import type { PoolConnection } from "mysql2";
import { padded, statements } from "./batch.js";
import type { Commands, Insert } from "./commands.js";
import type { ServerFacts } from "./server.js";
import { serverErrors } from "./server-errors.js";
import type { Statement } from "./statement.js";

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
  async rows(statement: Statement): Promise<AnswerRows> {
    const found = await this.#answer(statement);
    if (Array.isArray(found)) return found;
    throw new Error("the server answered without rows");
  }

  /** Sends a statement and returns how many rows it inserted, updated or removed. */
  async change(statement: Statement): Promise<number> {
    // mysql2's type is that of every possible answer.
    return ((await this.#answer(statement)) as { readonly affectedRows: number }).affectedRows;
  }

  /**
   * Changes the rows of a batch, and returns the keys of those that it is for. Some pools do not
   * count a row that has its new values already, so `look` selects them if the count is short.
   */
  async changed(
    rows: readonly TableRow<unknown>[],
    change: Statement,
    look: () => Statement,
  ): Promise<AnswerRows> {
    return (await this.change(change)) >= rows.length ? keysOf(rows) : this.rows(look());
  }

  /**
   * Returns the rows that an INSERT leaves: with the INSERT if the server can, else by a second
   * statement.
   */
  async insert(insert: Insert): Promise<AnswerRows> {
    const { sql, parameters, columns } = insert;
    if (this.server.returns) {
      const all = [...parameters, ...columns.parameters];
      return this.rows({ sql: `${sql} RETURNING ${columns.sql}`, parameters: all });
    }
    await this.change(insert);
    return this.rows(this.commands.reread(insert));
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

  async #answer(statement: Statement): Promise<unknown> {
    try {
      return await this.#send(statement);
    } catch (error) {
      if (!serverErrors.isConflict(error)) throw error;
      return this.#send(statement);
    }
  }

  #send({ sql, parameters = [] }: Statement): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Nobody waits for the answer of a late call, and its connection is destroyed.
      if (this.#call.isLate) {
        reject(new Error("the call is late"));
        return;
      }
      const typeCast = typeof this.#connection.config.typeCast === "function" ? asUsual : true;
      const options = { ...plainAnswers, typeCast, sql, values: [...parameters] };
      this.#connection.execute(options, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
  }
}

export function keysOf(rows: readonly TableRow<unknown>[]): AnswerRows {
  return rows.map(({ indexed }) => [indexed]);
}

/** The form of the answers, whatever the settings of the program's pool are. */
const plainAnswers = { rowsAsArray: true, nestTables: false, namedPlaceholders: false } as const;

/** Replaces the pool's own function, which only another function can do. */
function asUsual(_field: unknown, next: () => unknown): unknown {
  return next();
}
