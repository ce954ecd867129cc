import { setTimeout as pause } from "node:timers/promises";
import {
  backOff,
  codeOf,
  ensureTable,
  type LendingCall,
  openingCall,
  type StorageCall,
} from "cacheme/driver";
import type { Statement } from "./commands.js";
import { Connections } from "./connections.js";
import type { Settings } from "./options.js";
import type { PostgresQuery } from "./pool.js";
import { serverErrors } from "./server-errors.js";
import { boundProbe, creation, probe } from "./table.js";

/** A row as the server sends it: bytes as bytes, everything else as text. */
export type Row = readonly (string | Buffer | null)[];

export type Parameter = Buffer | string | number | null;

/** Sends statements over the connections, each on a table that is there. */
export class PostgresClient {
  readonly #settings: Settings;
  readonly #connections: Connections;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#connections = new Connections(settings);
  }

  /** Looks for the table, and creates it if it is missing and may be created. */
  open(signal: AbortSignal): Promise<void> {
    const call = openingCall(signal);
    const { table } = this.#settings;
    const create = (): Promise<unknown> => this.#create(call);
    return ensureTable(this.#settings, {
      remedy: "Create it with the statements of postgresTable()",
      probe: () => this.#connections.ask(call, plain(probe(table))),
      isMissing,
      create,
      isBounded: async () => (await this.#connections.ask(call, plain(boundProbe(table)))).rows.length > 0,
      bound: create,
      boundRemedy: "Create it with the statements of postgresTable({ bounded: true })",
    });
  }

  close(): Promise<void> {
    return this.#connections.close(Math.min(this.#settings.commandTimeout, 1000));
  }

  /**
   * Sends one statement. Sends it again after a conflict, and after somebody has dropped the table,
   * which is created again.
   */
  async ask(call: StorageCall, { name, text }: Statement, values: Parameter[] = []): Promise<readonly Row[]> {
    // pg reads an object that was spread three times as slowly.
    const query: PostgresQuery = { name, text, values, rowMode: "array", types: answerTypes };
    try {
      // `answerTypes` decides what is in the rows, which pg's types do not say.
      return (await this.#connections.ask(call, query)).rows as Row[];
    } catch (error) {
      const isGone = isMissing(error) && this.#settings.createTable;
      if (!isGone && !serverErrors.isConflict(error)) throw error;
      if (isGone) await this.#create(call);
      else await pause(backOff(0), undefined, { ref: false });
      return (await this.#connections.ask(call, query)).rows as Row[];
    }
  }

  /** Returns the only value of a statement that answers one number. */
  async number(call: StorageCall, statement: Statement, values?: Parameter[]): Promise<number> {
    const [row] = await this.ask(call, statement, values);
    return Number(row?.[0] ?? 0);
  }

  async #create(call: LendingCall): Promise<void> {
    const { tableName: table, unlogged, maxSize, connectTimeout } = this.#settings;
    const options = { table, unlogged, bounded: maxSize !== undefined };
    await this.#connections.ask(call, plain(creation(options, connectTimeout)));
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "42P01";
}

/** Sends several statements in one string, which have neither parameters nor a name. */
function plain(text: string): PostgresQuery {
  return { text, rowMode: "array", types: answerTypes };
}

/**
 * Leaves everything but bytes as it comes. pg would decode by its own rules or the program's
 * (`pg.types`).
 */
export const answerTypes: PostgresQuery["types"] = {
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
