import { setTimeout as pause } from "node:timers/promises";
import { backOff, type RemoteStorage, StorageCalls } from "cacheme/driver";
import type { Statement } from "./commands.js";
import { Connections, Turn } from "./connections.js";
import type { Settings } from "./options.js";
import type { PostgresQuery } from "./pool.js";
import { creation, probe } from "./table.js";
import {
  advice,
  codeOf,
  conflicts,
  isAnswer,
  isPassing,
  needs,
  remedyFor,
  withoutValues,
} from "./trouble.js";

/** A row as the server sends it: bytes as bytes, everything else as text. */
export type Row = readonly (string | Buffer | null)[];

type Parameter = Buffer | string | number | null;

const tableIsMissing = "42P01";

/** The server at the other end: every statement with a deadline, on a table that is there. */
export class PostgresClient {
  readonly calls: StorageCalls;
  readonly #settings: Settings;
  readonly #connections: Connections;

  /** @param storage whose calls are tried when it was opened */
  constructor(settings: Settings, storage: RemoteStorage, opened: () => void, shutting: () => Promise<void>) {
    this.#settings = settings;
    this.#connections = new Connections(settings, (error) => this.calls.unreachable(error));
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
      isAnswer,
      refusalAdvice: remedyFor,
      trial: { storage, needs, passes: isPassing, remedyFor },
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
        if (codeOf(error) !== tableIsMissing || !createTable) throw error;
        await this.#create(turn);
      }
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #create(turn: Turn): Promise<void> {
    const { tableName, unlogged, connectTimeout } = this.#settings;
    await this.#connections.ask(turn, plain(creation({ table: tableName, unlogged }, connectTimeout)));
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
