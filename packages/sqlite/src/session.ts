import { type Commands, prepare } from "./commands.js";
import { closeQuietly, type Database, type Driver, pragma, type Value } from "./database.js";
import type { TableSettings } from "./options.js";
import { applicationId } from "./ownership.js";
import { makePrivate } from "./private-file.js";
import { identity } from "./set-aside.js";

/**
 * Milliseconds for which SQLite itself waits for another process' lock. It blocks the event loop for so long, so it is
 * about as long as a transaction of another process takes; longer waits are ours, between which everything else goes on.
 */
const blockingWait = 5;

/** The most that the log may keep on the disk once it was written back, in bytes. */
const keptLog = 16 * 1024 * 1024;

export type TransactionKind = "reading" | "writing";

/** An open handle with its statements. Each method works at once, and nothing else runs meanwhile. */
export class Session {
  readonly database: Database;
  readonly commands: Commands;
  /** Which file it is on, to notice when another one has its name. */
  readonly identity: string | undefined;
  /** Whether the storage made the file, so that it may change more than its tables. */
  readonly isOwn: boolean;

  constructor(database: Database, table: TableSettings, file?: string, isOwn = false) {
    this.isOwn = isOwn;
    this.database = database;
    this.commands = prepare(database, table);
    this.identity = file === undefined ? undefined : identity(file);
  }

  /**
   * Opens a file, and creates a missing one. A database of another program keeps its settings: it gets the tables and nothing
   * else. `auto_vacuum` counts for new files only, and must come before everything else; the application id comes before the
   * log, so that it is in the file itself from the beginning. The log (WAL) lets processes read while one writes. It is
   * written to the disk before it is written back; with NORMAL nothing else waits for the disk.
   */
  static open(driver: Driver, file: string, table: TableSettings): Session {
    makePrivate(file);
    const database = driver.open(file);
    try {
      database.exec(`PRAGMA busy_timeout = ${blockingWait}`);
      if (pragma(database, "page_count") === 0) {
        database.exec(`PRAGMA auto_vacuum = INCREMENTAL; PRAGMA application_id = ${applicationId}`);
      }
      const isOwn = pragma(database, "application_id") === applicationId;
      if (isOwn) {
        database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
        database.exec(`PRAGMA journal_size_limit = ${keptLog}`);
      }
      return new Session(database, table, file, isOwn);
    } catch (error) {
      closeQuietly(database);
      throw error;
    }
  }

  /** The machine's clock, in milliseconds since the epoch. */
  now(): number {
    return Number(this.commands.now.value());
  }

  number(name: "count" | "freePages" | "hasLeases" | "pages" | "pageSize", ...parameters: Value[]): number {
    return Number(this.commands[name].value(...parameters));
  }

  /** The first keys from one on, in order: those with bytes, and those with a running lease. */
  keysFrom(from: string, count: number): string[] {
    const asked = [from, this.now(), count] as const;
    return this.commands.scan.values(...asked, ...asked, count).map(String);
  }

  /**
   * Works in a transaction. One for reading sees one state of the database. One for writing takes the lock at once, since one
   * that takes it later may fail, and no other writer comes between.
   */
  transaction<T>(kind: TransactionKind, work: () => T): T {
    this.commands[kind].run();
    try {
      const result = work();
      this.commands.commit.run();
      return result;
    } catch (error) {
      try {
        this.commands.rollback.run();
      } catch {
        // After some errors, such as a full disk, SQLite has rolled back already.
      }
      throw error;
    }
  }

  /**
   * Writes the log (WAL) back, so that the next transaction writes over it from its beginning: on a full disk it cannot grow.
   * A database without such a log stays as it is.
   */
  reuseLog(): void {
    this.database.exec("PRAGMA wal_checkpoint(RESTART)");
  }

  close(): void {
    this.database.close();
  }
}
