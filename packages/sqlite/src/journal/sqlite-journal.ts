import { randomUUID } from "node:crypto";
import type {
  ClaimRequest,
  FailedClaim,
  Journal,
  JournalClaim,
  JournalCount,
  JournalDeadLetter,
  JournalRecord,
} from "cacheme/driver";
import type { Row, Value } from "../database.js";
import { inMemory, type SqliteConnectionOptions } from "../options.js";
import { bytesOf } from "../record.js";
import { never } from "./commands.js";
import { JournalFile } from "./journal-file.js";
import { type JournalSettings, journalSettings, type SqliteJournalOptions } from "./options.js";

/** Statements of SQLite. Each call is one transaction. The clock is the machine's, as is the file. */
class SqliteJournal implements Journal {
  readonly label: string;
  readonly isDurable: boolean;
  readonly isShared: boolean;
  readonly #file: JournalFile;

  constructor(settings: JournalSettings) {
    this.label = settings.label;
    this.isDurable = settings.file !== inMemory;
    this.isShared = this.isDurable;
    this.#file = new JournalFile(settings);
  }

  async connect(): Promise<void> {
    await this.#file.open();
  }

  async append(records: readonly JournalRecord[], delay: number): Promise<void> {
    if (records.length === 0) return;
    const due = Date.now() + Math.ceil(delay);
    await this.#file.write(({ append }) => {
      for (const { key, node, bytes } of records) append.run(key, node, bytes, due);
    });
  }

  async claim({ nodes, count, duration, ahead }: ClaimRequest): Promise<readonly JournalClaim[]> {
    if (nodes.length === 0) return [];
    const known = JSON.stringify(nodes);
    return await this.#file.write(({ due, left, claim }) => {
      const now = Date.now();
      const rows = [...left.rows(now, known, count)];
      const latest = Math.min(now + ahead, never);
      if (rows.length < count) rows.push(...due.rows(latest, now, known, count - rows.length));
      if (rows.length === 0) return [];
      const token = randomUUID();
      return rows.map((row) => {
        claim.run(token, now + Math.ceil(duration), text(row, "key"));
        const version = Number(row["version"]);
        const attempts = Number(row["attempts"]);
        return { ...recordOf(row), version, attempts, token };
      });
    });
  }

  async extend(claims: readonly JournalClaim[], duration: number): Promise<void> {
    if (claims.length === 0) return;
    await this.#file.write(({ extend }) => {
      const until = Date.now() + Math.ceil(duration);
      for (const { key, token } of claims) extend.run(until, key, token);
    });
  }

  async complete(claims: readonly JournalClaim[]): Promise<void> {
    if (claims.length === 0) return;
    await this.#file.write(({ complete, free }) => {
      for (const { key, token, version } of claims)
        if (complete.run(key, token, version) === 0) free.run(key, token);
    });
  }

  async fail(failures: readonly FailedClaim[]): Promise<void> {
    if (failures.length === 0) return;
    await this.#file.write(({ retry, setAside, free }) => {
      const now = Date.now();
      for (const { claim, reason, delay } of failures) {
        const { key, token, version } = claim;
        const changed =
          delay === undefined
            ? setAside.run(reason, now, key, token, version)
            : retry.run(now + Math.ceil(delay), key, token, version);
        if (changed === 0) free.run(key, token);
      }
    });
  }

  async read(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    return await this.#file.read(({ read }) => keys.map((key) => bytesOf(read.value(key))));
  }

  async counts(): Promise<readonly JournalCount[]> {
    return await this.#file.read(({ counts }) =>
      counts.rows().map((row) => ({
        node: text(row, "node"),
        unsaved: Number(row["unsaved"]),
        deadLetters: Number(row["dead"]),
      })),
    );
  }

  async deadLetters(limit: number): Promise<readonly JournalDeadLetter[]> {
    return await this.#file.read(({ deadLetters }) =>
      deadLetters.rows(limit).map((row) => ({
        ...recordOf(row),
        attempts: Number(row["attempts"]),
        reason: text(row, "reason"),
        at: Number(row["at"]),
      })),
    );
  }

  async requeue(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    return await this.#file.write(({ requeue }) => {
      const now = Date.now();
      return keys.reduce((count, key) => count + requeue.run(now, key), 0);
    });
  }

  async drop(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    return await this.#file.write(({ drop }) => keys.reduce((count, key) => count + drop.run(key), 0));
  }

  async close(): Promise<void> {
    this.#file.close();
  }
}

function recordOf(row: Row): JournalRecord {
  return { key: text(row, "key"), node: text(row, "node"), bytes: bytesOf(row["bytes"]) ?? noBytes };
}

const noBytes = new Uint8Array(0);

/** Reads a column that holds text. */
function text(row: Row, column: string): string {
  const value: Value | undefined = row[column];
  return typeof value === "string" ? value : "";
}

/**
 * A journal in a file of SQLite: durable, without a server, shared by the processes of one machine.
 * A save is acknowledged when it is on the disk. Saves that come together share one write to it.
 *
 * Give it a file of its own, on a local disk.
 *
 * @param target the file's place: a path, an address (`sqlite:///var/lib/app/writes.db`), or
 *   `{ file }`. `":memory:"` is lost with the process
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` or `CACHEME_INVALID_DURATION`, at once
 * @example
 * ```ts
 * await registerJournal("writes", sqliteJournal("writes.db"), { nodes: [UserNode] });
 * ```
 */
export function sqliteJournal(
  target: string | SqliteConnectionOptions,
  options: SqliteJournalOptions = {},
): Journal {
  return new SqliteJournal(journalSettings(target, options));
}
