import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { asError, elapsed, StorageError, sentence, setTimeout } from "cacheme/driver";
import { closeQuietly, type Database, driverFor, pragma } from "../database.js";
import { inMemory } from "../options.js";
import { applicationId } from "../ownership.js";
import { makePrivate, realFile } from "../private-file.js";
import { adviceFor, troubleOf } from "../trouble.js";
import { type JournalCommands, prepareJournal } from "./commands.js";
import type { JournalSettings } from "./options.js";

/** Milliseconds for which SQLite itself waits for another process's lock, and blocks the event loop. */
const blockingWait = 5;

/** The file of a journal. Damaged files stay as they are, because they may hold acknowledged values. */
export class JournalFile {
  readonly #settings: JournalSettings;
  #database: Database | undefined;
  #commands: JournalCommands | undefined;
  #isClosed = false;

  constructor(settings: JournalSettings) {
    this.#settings = settings;
  }

  /** @throws StorageError `CACHEME_CONNECT_FAILED`, `CACHEME_FOREIGN_DATA` */
  async open(): Promise<void> {
    if (this.#commands === undefined) await this.#patiently("CACHEME_CONNECT_FAILED", () => this.#openNow());
  }

  /**
   * Works in one transaction.
   *
   * @throws StorageError `CACHEME_STORAGE_FAILED`, `CACHEME_CLOSED`
   */
  async write<T>(work: (commands: JournalCommands) => T): Promise<T> {
    return await this.read((commands) => {
      commands.writing.run();
      try {
        const answer = work(commands);
        commands.commit.run();
        return answer;
      } catch (error) {
        try {
          commands.rollback.run();
        } catch {
          // After some errors, such as a full disk, SQLite has rolled back already.
        }
        throw error;
      }
    });
  }

  /**
   * Works without a transaction.
   *
   * @throws StorageError `CACHEME_STORAGE_FAILED`, `CACHEME_CLOSED`
   */
  async read<T>(work: (commands: JournalCommands) => T): Promise<T> {
    return await this.#patiently("CACHEME_STORAGE_FAILED", () => {
      if (this.#commands === undefined) throw this.#notOpen();
      return work(this.#commands);
    });
  }

  close(): void {
    this.#isClosed = true;
    if (this.#database !== undefined) closeQuietly(this.#database);
    this.#database = undefined;
    this.#commands = undefined;
  }

  #notOpen(): StorageError {
    const { label } = this.#settings;
    return new StorageError(
      "CACHEME_CLOSED",
      this.#isClosed ? `The journal ${label} is closed.` : `The journal ${label} is not connected.`,
    );
  }

  #openNow(): void {
    const { file: path, table, synchronous } = this.#settings;
    const driver = driverFor(this.#settings);
    const file = path === inMemory ? path : realFile(path);
    if (file !== inMemory) {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      makePrivate(file);
    }
    const database = driver.open(file);
    try {
      database.exec(`PRAGMA busy_timeout = ${blockingWait}`);
      if (pragma(database, "application_id") === applicationId) throw this.#isCache();
      database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}`);
      this.#commands = prepareJournal(database, table);
      this.#database = database;
    } catch (error) {
      closeQuietly(database);
      throw error;
    }
  }

  /** A damaged file of a storage is set aside with everything in it. */
  #isCache(): StorageError {
    const { label } = this.#settings;
    return new StorageError(
      "CACHEME_FOREIGN_DATA",
      `${label} is the file of a storage, which may be set aside when it is damaged. Give the journal a file of its own.`,
    );
  }

  /** Works as soon as no other process holds the lock. */
  async #patiently<T>(code: "CACHEME_CONNECT_FAILED" | "CACHEME_STORAGE_FAILED", work: () => T): Promise<T> {
    const { commandTimeout, label } = this.#settings;
    const end = elapsed() + commandTimeout;
    for (let attempt = 0; ; attempt++) {
      try {
        return work();
      } catch (thrown) {
        if (thrown instanceof StorageError) throw thrown;
        const error = asError(thrown);
        const pause = Math.min(2 ** attempt, 50) * (0.5 + Math.random() / 2);
        if (troubleOf(error) !== "busy" || elapsed() + pause > end) {
          const message = `The journal ${label} failed: ${sentence(error.message)} ${adviceFor(error)}`;
          throw new StorageError(code, message, { cause: error });
        }
        await new Promise<void>((resolve) => setTimeout(resolve, pause));
      }
    }
  }
}
