import { type Commands, prepare } from "./commands.js";
import type { Database, Driver, Value } from "./database.js";
import { identity } from "./set-aside.js";

/**
 * Milliseconds for which SQLite itself waits for another process' lock. It blocks the event loop for so long, so it is
 * about as long as a transaction of another process takes; longer waits are ours, between which everything else goes on.
 */
const blockingWait = 5;

/** The most that the log may keep on the disk once it was written back, in bytes. */
const keptLog = 16 * 1024 * 1024;

/** An open handle with everything prepared on it. What it does, it does at once: nothing else runs meanwhile. */
export class Session {
  readonly database: Database;
  readonly commands: Commands;
  /** Which file it is on, to notice when another one has its name. */
  readonly identity: string | undefined;

  constructor(database: Database, table: string, file: string | undefined) {
    this.database = database;
    this.commands = prepare(database, table);
    this.identity = file === undefined ? undefined : identity(file);
  }

  /**
   * Opens a file, and makes it where it is not there. `auto_vacuum` counts for new files only, and must come before
   * everything else; the log (WAL) lets processes read while one writes, and is written to the disk before it is written
   * back, which with NORMAL is the only time that is waited for the disk.
   */
  static open(driver: Driver, file: string, table: string): Session {
    const database = driver.open(file);
    try {
      database.exec(`PRAGMA busy_timeout = ${blockingWait}`);
      database.exec("PRAGMA auto_vacuum = INCREMENTAL");
      database.exec("PRAGMA journal_mode = WAL");
      database.exec("PRAGMA synchronous = NORMAL");
      database.exec(`PRAGMA journal_size_limit = ${keptLog}`);
      return new Session(database, table, file);
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

  /** A transaction that sees one state of the database. */
  reading<T>(work: () => T): T {
    return this.#transaction(this.commands.begin, work);
  }

  /** A transaction that no other writer comes between. It takes the lock at once, since one that takes it later may fail. */
  writing<T>(work: () => T): T {
    return this.#transaction(this.commands.beginImmediate, work);
  }

  close(): void {
    this.database.close();
  }

  #transaction<T>(begin: Commands["begin"], work: () => T): T {
    begin.run();
    try {
      const result = work();
      this.commands.commit.run();
      return result;
    } catch (error) {
      this.#rollBack();
      throw error;
    }
  }

  #rollBack(): void {
    try {
      this.commands.rollback.run();
    } catch {
      // After some errors, such as a full disk, SQLite has rolled back already.
    }
  }
}

/** The handle is of no use any more, and why was told already. */
export function closeQuietly(handle: { close(): void }): void {
  try {
    handle.close();
  } catch {
    // A corrupt database may not even be closed properly.
  }
}
