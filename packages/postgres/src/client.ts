import { setTimeout as pause } from "node:timers/promises";
import { backOff, codeOf, refusedConnection, type StorageCall } from "cacheme/driver";
import type { Statement } from "./commands.js";
import { Connections, Turn } from "./connections.js";
import type { Settings } from "./options.js";
import type { PostgresQuery } from "./pool.js";
import { conflicts } from "./server-errors.js";
import { boundProbe, creation, probe } from "./table.js";

/** A row as the server sends it: bytes as bytes, everything else as text. */
export type Row = readonly (string | Buffer | null)[];

export type Parameter = Buffer | string | number | null;

const tableIsMissing = "42P01";

/** Sends statements over the connections, each on a table that is there. */
export class PostgresClient {
  readonly #settings: Settings;
  readonly #connections: Connections;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#connections = new Connections(settings);
  }

  /** Looks for the table, and creates it if it is missing and may be created. */
  async open(signal: AbortSignal): Promise<void> {
    const turn = new Turn();
    const giveUp = (): void => this.#connections.drop(turn);
    signal.addEventListener("abort", giveUp);
    try {
      if (!(await this.#isThere(turn))) await this.#create(turn);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  close(): Promise<void> {
    return this.#connections.close(Math.min(this.#settings.commandTimeout, 1000));
  }

  /** Sends one statement. */
  ask(call: StorageCall, statement: Statement, values: Parameter[]): Promise<readonly Row[]> {
    const turn = new Turn(call);
    call.whenLate(() => this.#connections.drop(turn));
    return this.#patiently(turn, {
      name: statement.name,
      text: statement.text,
      values,
      rowMode: "array",
      types: answerTypes,
    });
  }

  /**
   * Sends a statement again after a conflict, and after somebody has dropped the table, which is
   * created again.
   */
  async #patiently(turn: Turn, query: PostgresQuery): Promise<readonly Row[]> {
    try {
      // `answerTypes` decides what is in the rows, which pg's types do not say.
      return (await this.#connections.ask(turn, query)).rows as Row[];
    } catch (error) {
      const code = codeOf(error);
      const isMissing = code === tableIsMissing && this.#settings.createTable;
      if (!isMissing && !conflicts.has(code)) throw error;
      if (isMissing) await this.#create(turn);
      else await pause(backOff(0), undefined, { ref: false });
      return (await this.#connections.ask(turn, query)).rows as Row[];
    }
  }

  /**
   * Returns whether the table exists, with the index that it needs. Throws if the storage may not
   * create them.
   */
  async #isThere(turn: Turn): Promise<boolean> {
    const { table, createTable, maxSize, label } = this.#settings;
    try {
      await this.#connections.ask(turn, plain(probe(table)));
    } catch (error) {
      if (codeOf(error) !== tableIsMissing || !createTable) throw error;
      return false;
    }
    if (maxSize === undefined) return true;
    const found = await this.#connections.ask(turn, plain(boundProbe(table)));
    if (found.rows.length > 0 || createTable) return found.rows.length > 0;
    const remedy = "Create it with the statements of postgresTable({ bounded: true }), or leave maxSize out.";
    throw refusedConnection(label, "the table has no index for maxSize", remedy);
  }

  async #create(turn: Turn): Promise<void> {
    const { tableName: table, unlogged, maxSize, connectTimeout } = this.#settings;
    const options = { table, unlogged, bounded: maxSize !== undefined };
    await this.#connections.ask(turn, plain(creation(options, connectTimeout)));
  }
}

/** Sends several statements in one string, which have neither parameters nor a name. */
function plain(text: string): PostgresQuery {
  return { text, rowMode: "array", types: answerTypes };
}

/**
 * Leaves everything but bytes as it comes. pg would decode by its own rules or the program's
 * (`pg.types`).
 */
const answerTypes: PostgresQuery["types"] = {
  getTypeParser: (type) => (type === bytea ? bytesFrom : asItIs),
};
const bytea = 17;

function asItIs(text: string): string {
  return text;
}

/**
 * Decodes `\x` and hexadecimal digits; or, with `bytea_output = 'escape'`, octal numbers for
 * unprintable bytes.
 */
function bytesFrom(text: string): Buffer {
  if (text.startsWith("\\x")) return Buffer.from(text.slice(2), "hex");
  const plain = text.replace(/\\(?:(\d{3})|\\)/g, (_, octal?: string) =>
    octal === undefined ? "\\" : String.fromCharCode(Number.parseInt(octal, 8)),
  );
  return Buffer.from(plain, "latin1");
}
