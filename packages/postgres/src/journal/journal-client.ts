import {
  codeOf,
  ensureTable,
  openingCall,
  type StorageCall,
  StorageCalls,
  type StorageCallsOptions,
} from "cacheme/driver";
import { answerTypes, type Parameter, type Row } from "../client.js";
import { Connections } from "../connections.js";
import { serverErrors } from "../server-errors.js";
import { createdAlone } from "../table.js";
import { journalCommands } from "./commands.js";
import type { JournalSettings } from "./options.js";
import { postgresJournalTable } from "./table.js";

/** Sends a journal's statements, each with a deadline. */
export class JournalClient {
  readonly #settings: JournalSettings;
  readonly #connections: Connections;
  readonly #calls: StorageCalls;

  constructor(settings: JournalSettings) {
    this.#settings = settings;
    this.#connections = new Connections(settings);
    const { label, connect, commandTimeout, connectTimeout } = settings;
    const { errors } = serverErrors;
    const options: StorageCallsOptions = {
      label,
      connect,
      commandTimeout,
      connectTimeout,
      ...errors,
      refusalAdvice: (error) => errors.remedyFor?.(error),
      open: (signal) => this.#open(signal),
      shut: () => this.#connections.close(Math.min(commandTimeout, 1000)),
    };
    this.#calls = new StorageCalls(options);
  }

  /** @throws StorageError `CACHEME_CONNECT_FAILED`, `CACHEME_CONNECT_REFUSED` */
  async connect(): Promise<void> {
    await this.#calls.connect();
  }

  /** @throws StorageError `CACHEME_STORAGE_FAILED`, `CACHEME_CONNECT_FAILED`, `CACHEME_CLOSED` */
  async ask(what: string, text: string, values: Parameter[] = []): Promise<readonly Row[]> {
    return await this.#calls.run(what, (call: StorageCall) => this.#ask(call, text, values));
  }

  async close(): Promise<void> {
    await this.#calls.close();
  }

  /** Looks for the table, and creates it if it is missing and may be created. */
  async #open(signal: AbortSignal): Promise<void> {
    const { table, tableName, connectTimeout } = this.#settings;
    const call = openingCall(signal);
    const plain = (text: string) =>
      this.#connections.ask(call, { text, rowMode: "array", types: answerTypes });
    await ensureTable(
      { ...this.#settings, table: tableName, maxSize: undefined },
      {
        remedy: "Create it with the statements of postgresJournalTable()",
        boundRemedy: "",
        probe: () => plain(journalCommands(table).probe),
        isMissing: (error) => codeOf(error) === "42P01",
        create: () =>
          plain(createdAlone(postgresJournalTable({ table: tableName }), tableName, connectTimeout)),
        isBounded: async () => true,
        bound: async () => {},
      },
    );
  }

  async #ask(call: StorageCall, text: string, values: Parameter[]): Promise<readonly Row[]> {
    const query = { text, values, rowMode: "array", types: answerTypes } as const;
    try {
      return (await this.#connections.ask(call, query)).rows as Row[]; // As in PostgresClient.
    } catch (error) {
      if (!serverErrors.isConflict(error)) throw error;
      return (await this.#connections.ask(call, query)).rows as Row[];
    }
  }
}
