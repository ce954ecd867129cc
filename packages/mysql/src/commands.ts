import type { Parameter } from "./session.js";
import { now } from "./table.js";

/** An INSERT whose rows are read as it leaves them. */
export interface Insert {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
  readonly columns: string;
  /** The parameters in {@link columns}. */
  readonly ofColumns: readonly Parameter[];
  readonly ids: readonly Buffer[];
}

/** Characters of a generation's id. An `@` and the time follow. */
const generationIdLength = 22;

const readable = `bytes IS NOT NULL AND expires_at > ${now}`;
const freshFor = "COALESCE(fresh_for, kept_for)";
const leaseRuns = `leased_for > 0 AND leased_at + leased_for > ${now}`;

/** The columns that a whole record replaces. */
const replaced = `bytes = VALUES(bytes), written_at = VALUES(written_at), kept_for = VALUES(kept_for),
  fresh_for = VALUES(fresh_for), leased_for = 0`;

/**
 * The statements, each for a number of rows. They are the same for MySQL and MariaDB, except that
 * only MariaDB has RETURNING: on MySQL a second statement reads the row.
 *
 * No statement holds a key, a value, a backslash or a double quote, so no `sql_mode` changes its
 * meaning. Both servers assign columns from left to right, so an assignment reads the new values of
 * the columns before it. MariaDB's mode SIMULTANEOUS_ASSIGNMENT, a part of ORACLE, reads the old
 * ones. Each assignment has the same result either way.
 */
export class Commands {
  readonly #table: string;

  constructor(table: string) {
    this.#table = table;
  }

  /** Parameters: ids. */
  read(rows: number): string {
    return `SELECT id, bytes FROM ${this.#table} WHERE ${ids(rows)} AND ${readable}`;
  }

  /**
   * Parameters of a row: id, bytes, milliseconds that it is kept; then the long key and the
   * milliseconds that it is fresh, if the batch has them. Nearly no batch does, and each column
   * costs time.
   */
  write(rows: number, has: { readonly longKeys: boolean; readonly freshness: boolean }): string {
    const besides = [...(has.longKeys ? ["long_key"] : []), ...(has.freshness ? ["fresh_for"] : [])];
    return `INSERT INTO ${this.#table} (${["id", "bytes", "kept_for", ...besides].join(", ")})
      VALUES ${list(rows, `(?,?,?${",?".repeat(besides.length)})`)} ON DUPLICATE KEY UPDATE ${replaced}`;
  }

  /**
   * Parameters: ids. Leaves expired rows without a lease to the sweeper, so that they are not
   * counted.
   */
  remove(rows: number): string {
    return `DELETE FROM ${this.#table} WHERE ${ids(rows)} AND (leased_for > 0 OR (${readable}))`;
  }

  /**
   * Parameters of a row: id, long key, token, length of the lease, 1 to steal and else 0; then the
   * seen bytes, if the batch has any. The bytes of an inserted row have expired, so its `fresh_for`
   * and `bytes` mean nothing else.
   */
  acquire(rows: number, has: { readonly seen: boolean }): string {
    const clock = "VALUES(leased_at)";
    const held = `(leased_for > 0 AND leased_at + leased_for > ${clock})`;
    const fresh = `(bytes IS NOT NULL AND expires_at > ${clock} AND written_at + ${freshFor} > ${clock}${has.seen ? " AND NOT (bytes <=> VALUES(bytes))" : ""})`;
    const toBeHad = `(VALUES(fresh_for) = 1 OR NOT (${held} OR ${fresh}))`;
    const isOurs = `(token = VALUES(token) OR ${toBeHad})`;
    return `INSERT INTO ${this.#table} (id, long_key, token, leased_for, fresh_for${has.seen ? ", bytes" : ""})
      VALUES ${list(rows, has.seen ? "(?,?,?,?,?,?)" : "(?,?,?,?,?)")} ON DUPLICATE KEY UPDATE
      token = IF(${toBeHad}, VALUES(token), token),
      leased_at = IF(${isOurs}, VALUES(leased_at), leased_at),
      leased_for = IF(${isOurs}, VALUES(leased_for), leased_for)`;
  }

  /**
   * The columns of {@link acquire}'s answer, with fresh bytes. Parameters: tokens of leases that
   * need no bytes.
   */
  leaseColumns(rows: number): string {
    const wanted = `${readable} AND written_at + ${freshFor} > ${now} AND COALESCE(token NOT IN (${list(rows, "?")}), TRUE)`;
    return `id, IF(leased_for > 0, token, NULL), leased_at, IF(${wanted}, bytes, NULL)`;
  }

  /**
   * Parameters: bytes, milliseconds that they are kept, that they are fresh, the fill's own mark,
   * id, token.
   */
  fillOne(): string {
    return `UPDATE ${this.#table} SET bytes = ?, written_at = ${now}, kept_for = ?, fresh_for = ?, token = ?, leased_for = 0
      WHERE id = ? AND token = ? AND leased_for > 0`;
  }

  /**
   * Parameters of a row: id, token, bytes, milliseconds that they are kept, that they are fresh;
   * then the fill's own mark.
   */
  fill(rows: number): string {
    return `UPDATE ${this.#held(rows, { bytes: "BINARY", kept_for: "SIGNED", fresh_for: "SIGNED" })}
      SET held.bytes = given.bytes, held.written_at = ${now}, held.kept_for = given.kept_for,
      held.fresh_for = given.fresh_for, held.token = ?, held.leased_for = 0`;
  }

  /** Selects the rows that a call has marked. Parameters: ids, then the call's own mark. */
  marked(rows: number): string {
    return `SELECT id FROM ${this.#table} WHERE ${ids(rows)} AND token = ?`;
  }

  /** Parameters: the release's own mark, then ids, then an id and a token of each lease. */
  release(rows: number): string {
    return `UPDATE ${this.#table} SET token = ?, leased_for = 0 WHERE ${this.#leased(rows)}`;
  }

  /** Parameters of a row: id, token, milliseconds from now to the new end. */
  extend(rows: number): string {
    return `UPDATE ${this.#held(rows, { leased_for: "SIGNED" })}
      SET held.leased_at = ${now}, held.leased_for = given.leased_for`;
  }

  /** Selects the rows that have a token. Parameters: ids, then an id and a token of each lease. */
  held(rows: number): string {
    return `SELECT id FROM ${this.#table} WHERE ${this.#leased(rows)}`;
  }

  /**
   * Parameters of a row: id, long key, the new generation's id, milliseconds that it is kept. It
   * sets `written_at` in any case, so the row's ttl begins now. Without bytes, `kept_for` is 0.
   */
  ensure(rows: number): string {
    const clock = "VALUES(written_at)";
    const isThere = `(kept_for > 0 AND written_at + kept_for > ${clock})`;
    const end = `GREATEST(written_at + kept_for, ${clock} + VALUES(kept_for))`;
    return `${this.#generations(rows)} ON DUPLICATE KEY UPDATE
      bytes = IF(${isThere}, bytes, ${stamped}),
      kept_for = IF(${isThere}, ${end} - GREATEST(written_at, ${clock}), VALUES(kept_for)),
      written_at = GREATEST(written_at, ${clock})`;
  }

  /** Parameters of a row: id, long key, the new generation's id, milliseconds that it is kept. */
  bump(rows: number): string {
    return `${this.#generations(rows)} ON DUPLICATE KEY UPDATE
      bytes = ${stamped}, written_at = GREATEST(written_at, VALUES(written_at)), fresh_for = 0,
      kept_for = VALUES(kept_for), leased_for = 0`;
  }

  readonly generationColumns: string = "id, bytes";

  /** The server's time in milliseconds. */
  readonly time: string = `SELECT ${now}`;

  /** Reads the rows that another statement has left. Parameters: those of the columns, then ids. */
  reread(columns: string, rows: number): string {
    return `SELECT ${columns} FROM ${this.#table} WHERE ${ids(rows)}`;
  }

  /** Parameters: the first id, and the id to end before. */
  page(rows: number): string {
    return `SELECT id, long_key, (${readable}) OR (${leaseRuns}) FROM ${this.#table}
      WHERE id >= ? AND id < ? ORDER BY id LIMIT ${rows}`;
  }

  /** Selects rows for the sweeper. */
  expired(rows: number): string {
    return `SELECT id FROM ${this.#table} WHERE ${this.#isOver} ORDER BY expires_at LIMIT ${rows}`;
  }

  /** Parameters: ids. Somebody may have written one of them again. */
  sweep(rows: number): string {
    return `DELETE FROM ${this.#table} WHERE ${ids(rows)} AND ${this.#isOver}`;
  }

  /**
   * Selects a row's place in the order of writing. Parameters: those of {@link olderThan}, if there
   * is a place.
   */
  findWritten(skipped: number, hasPlace: boolean): string {
    return `SELECT written_at, id FROM ${this.#table} ${hasPlace ? `WHERE ${olderThan("<")}` : ""}
      ORDER BY written_at DESC, id DESC LIMIT 1 OFFSET ${skipped}`;
  }

  /** Selects the first rows in the order of writing. Parameters: those of {@link olderThan}. */
  oldest(rows: number): string {
    return `SELECT id FROM ${this.#table} WHERE ${olderThan("<=")} AND NOT (${leaseRuns})
      ORDER BY written_at, id LIMIT ${rows}`;
  }

  /**
   * Parameters: ids, then those of {@link olderThan}. Somebody may have written one of them again.
   * The sum keeps the server from the index of the times, of which it would lock a range.
   */
  removeWritten(rows: number): string {
    const isOlder = olderThan("<=").replaceAll("written_at", "written_at + 0");
    return `DELETE FROM ${this.#table} WHERE ${ids(rows)} AND ${isOlder} AND NOT (${leaseRuns})`;
  }

  /**
   * Answers a row if the table has the index of `boundKey`, whatever its name is. Parameters: those
   * of `tableFacts`.
   */
  readonly boundProbe: string = `SELECT 1 FROM information_schema.statistics
    WHERE table_name = ? AND table_schema = COALESCE(?, DATABASE()) AND column_name = 'written_at' AND seq_in_index = 1`;

  /** Fails if the table or one of its columns is missing. */
  probe(): string {
    return `SELECT id, long_key, bytes, written_at, kept_for, fresh_for, expires_at, token, leased_at, leased_for
      FROM ${this.#table} LIMIT 0`;
  }

  #leased(rows: number): string {
    return `${ids(rows)} AND (id, token) IN (${list(rows, "(?,?)")}) AND leased_for > 0`;
  }

  /**
   * Joins given rows, named `given`, with those of their leases, named `held`. Parameters of a row:
   * id, token, and the other columns. The casts give the parameters their types, because no column
   * does.
   */
  #held(rows: number, others: Readonly<Record<string, "BINARY" | "SIGNED">>): string {
    const columns = Object.entries({ id: "BINARY", token: "BINARY", ...others });
    const first = columns.map(([name, type]) => `CAST(? AS ${type}) ${name}`).join(", ");
    const next = `UNION ALL SELECT ${columns.map(([, type]) => `CAST(? AS ${type})`).join(", ")}`;
    return `(SELECT ${first} ${list(rows - 1, next, " ")}) given
      STRAIGHT_JOIN ${this.#table} held ON held.id = given.id AND held.token = given.token AND held.leased_for > 0`;
  }

  readonly #isOver = `expires_at <= ${now} AND NOT (${leaseRuns})`;

  #generations(rows: number): string {
    return `INSERT INTO ${this.#table} (id, long_key, bytes, kept_for)
      VALUES ${list(rows, `(?,?,CONCAT(?, '@', ${now}),?)`)}`;
  }
}

/** The new generation, with a time that is not before that of the generation that it replaces. */
const stamped = `CONCAT(LEFT(VALUES(bytes), ${generationIdLength}), '@', GREATEST(written_at, VALUES(written_at)))`;

/** Asks for the server's product, version and settings. */
export const serverFacts =
  "SELECT VERSION(), @@max_allowed_packet, @@autocommit, @@version_comment, @@sql_mode";

/** Parameters: the table's name; its database, or NULL for the connection's. */
export const tableFacts = `SELECT table_rows, data_length + index_length FROM information_schema.tables
  WHERE table_name = ? AND table_schema = COALESCE(?, DATABASE())`;

/** The parameters of {@link tableFacts} for a quoted name. */
export function nameParameters(table: string): readonly (string | null)[] {
  const [name = "", database = null] = table.replaceAll("`", "").split(".").reverse();
  return [name, database];
}

/** Rows before a place. Parameters: its time twice, and its id. */
function olderThan(operator: "<" | "<="): string {
  return `written_at <= ? AND (written_at < ? OR id ${operator} ?)`;
}

function ids(rows: number): string {
  return rows === 1 ? "id = ?" : `id IN (${list(rows, "?")})`;
}

function list(rows: number, row: string, separator = ","): string {
  return Array.from({ length: rows }, () => row).join(separator);
}
