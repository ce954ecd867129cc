import { setTimeout as pause } from "node:timers/promises";
import { backOff, StorageCalls } from "cacheme/driver";
import type { Statement } from "./commands.js";
import { Connections, Turn } from "./connections.js";
import type { Settings } from "./options.js";
import type { PostgresQuery } from "./pool.js";
import { creation, probe } from "./table.js";

/** A row as the server sends it: bytes as bytes, everything else as text. */
export type Row = readonly (string | Buffer | null)[];

type Parameter = Buffer | string | number | null;

/** What went wrong is not what was asked: two at once stood in each other's way, and one of them was refused. */
const conflicts = new Set(["40P01", "40001"]);
const tableIsMissing = "42P01";

/** The server at the other end: every statement with a deadline, on a table that is there. */
export class PostgresClient {
  readonly calls: StorageCalls;
  readonly #settings: Settings;
  readonly #connections: Connections;

  constructor(settings: Settings, opened: () => void, shutting: () => Promise<void>) {
    this.#settings = settings;
    this.#connections = new Connections(settings, (error) => this.calls.unreachable(explained(error)));
    this.calls = new StorageCalls({
      ...settings,
      open: async (signal) => {
        await this.#open(signal);
        opened();
      },
      shut: async () => {
        await shutting();
        await this.#connections.close(Math.min(settings.commandTimeout, 1000));
      },
      clean: withoutValues,
      advice,
    });
  }

  /**
   * Sends one statement.
   *
   * @param action what is done, for messages
   * @throws StorageError within the deadline
   */
  ask(action: string, statement: Statement, values: Parameter[]): Promise<readonly Row[]> {
    const turn = new Turn();
    const { prepare } = this.#settings;
    const query: PostgresQuery = {
      ...(prepare && statement.name !== undefined ? { name: statement.name } : {}),
      text: statement.text,
      values,
      rowMode: "array",
      types: answerTypes,
    };
    return this.calls.run(
      action,
      () => this.#patiently(turn, query),
      () => this.#connections.drop(turn),
    );
  }

  /** Once more after a conflict, when the other one has had its turn; and where somebody has dropped the table, on a new one. */
  async #patiently(turn: Turn, query: PostgresQuery): Promise<readonly Row[]> {
    try {
      return await this.#rows(turn, query);
    } catch (error) {
      const code = codeOf(error);
      const isMissing = code === tableIsMissing && this.#settings.createTable;
      if (!isMissing && !conflicts.has(code)) throw error;
      if (isMissing) await this.#create(turn);
      else await pause(backOff(0), undefined, { ref: false });
      return await this.#rows(turn, query);
    }
  }

  async #rows(turn: Turn, query: PostgresQuery): Promise<readonly Row[]> {
    const { rows } = await this.#connections.ask(turn, query);
    // They are made by `answerTypes`, of which pg's types know nothing.
    return rows as Row[];
  }

  async #open(signal: AbortSignal): Promise<void> {
    const turn = new Turn();
    const giveUp = (): void => this.#connections.drop(turn);
    signal.addEventListener("abort", giveUp);
    try {
      const { table, createTable } = this.#settings;
      try {
        await this.#connections.ask(turn, plain(probe(table)));
      } catch (error) {
        if (codeOf(error) !== tableIsMissing || !createTable) throw explained(error);
        await this.#create(turn);
      }
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #create(turn: Turn): Promise<void> {
    const { tableName, unlogged, connectTimeout } = this.#settings;
    try {
      await this.#connections.ask(turn, plain(creation({ table: tableName, unlogged }, connectTimeout)));
    } catch (error) {
      throw explained(error);
    }
  }
}

/** Several statements in one text are sent without parameters and without a name. */
function plain(text: string): PostgresQuery {
  return { text, rowMode: "array", types: answerTypes };
}

/** pg decodes what it knows by its own rules or the program's (`pg.types`); here everything but bytes stays as it comes. */
const answerTypes: PostgresQuery["types"] = {
  getTypeParser: (type) => (type === bytea ? bytesFrom : asItIs),
};
const bytea = 17;

function asItIs(text: string): string {
  return text;
}

/** `\x` and hexadecimal digits; or, with `bytea_output = 'escape'`, octal numbers for what is not printable. */
function bytesFrom(text: string): Buffer {
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  const plain = text.replace(/\\(?:(\d{3})|\\)/g, (_, octal?: string) =>
    octal === undefined ? "\\" : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(plain, "latin1");
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

/** An error of the server less what may hold values that were sent. */
function withoutValues(error: Error): Error {
  for (const name of ["detail", "where", "internalQuery", "client"]) {
    if (name in error) Reflect.deleteProperty(error, name);
  }
  return error;
}

/** By SQLSTATE. */
const advices: Readonly<Record<string, string>> = {
  "08P01": "If the address is PgBouncer's, give prepare: false.",
  "22021": "The database's encoding must be UTF8.",
  "22P05": "The database's encoding must be UTF8.",
  "25006": "Give the address of the primary server: a standby takes no writes.",
  "26000":
    "If a pooler stands before the server, such as PgBouncer in transaction mode, give prepare: false.",
  "3F000": "Make the schema, or name a table in another one.",
  "40001": "It was tried twice. Too many processes write the same keys at once.",
  "40P01": "It was tried twice. Too many processes write the same keys at once.",
  "42501":
    "Grant the database user SELECT, INSERT, UPDATE and DELETE on the table; to make it, CREATE on the schema.",
  "42703": "The table is not one that postgres() has made: name another one with the option table.",
  "42P01": "Make the table with the statements of postgresTable(), or leave createTable on.",
  "42P05":
    "If a pooler stands before the server, such as PgBouncer in transaction mode, give prepare: false.",
  "53300": "Raise the server's max_connections, or give fewer connections (max) to each process.",
  "57014":
    "The server stopped it after commandTimeout. Check that it is not busy with something slow, or raise it.",
};

function advice(error: Error): string {
  const isOfTheServer = "severity" in error;
  if (!isOfTheServer) return "The connection was lost meanwhile; the next call makes a new one.";
  return advices[codeOf(error)] ?? "The server's words say why.";
}

/** An error of opening, with what to do about it where that is known. */
function explained(error: unknown): unknown {
  const known = advices[codeOf(error)];
  if (!(error instanceof Error) || known === undefined) return error;
  error.message = `${error.message}. ${known}`;
  return error;
}
