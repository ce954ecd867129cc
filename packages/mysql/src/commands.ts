import type {
  Acquisition,
  HeldLease,
  LeasedRecord,
  LeaseExtension,
  NewGeneration,
  StoredRecord,
  StoredTouch,
  TableRow,
} from "cacheme/driver";
import { asBuffer, idOf, lifetime, parametersOf, tokenOf, valueColumns, wholeKey } from "./record.js";
import type { Parameter, Statement } from "./statement.js";
import { now } from "./table.js";

/** An INSERT whose rows are read as it leaves them. */
export interface Insert extends Required<Statement> {
  readonly columns: Required<Statement>;
  readonly ids: readonly Buffer[];
}

/** A row in the order of writing: rows of one statement have one time. */
export interface Place {
  readonly time: number;
  readonly id: Buffer;
}

/** Rows that a page of a scan looks at. */
export const pageRows = 1000;

/** Records that one statement of the sweep removes. */
export const sweptRows = 500;

const readable = `bytes IS NOT NULL AND expires_at > ${now}`;
const freshFor = "COALESCE(fresh_for, kept_for)";
const leaseRuns = `leased_for > 0 AND leased_at + leased_for > ${now}`;
const isOver = `expires_at <= ${now} AND NOT (${leaseRuns})`;

/** The columns that a whole record replaces. */
const replaced = `bytes = VALUES(bytes), written_at = VALUES(written_at), kept_for = VALUES(kept_for),
  fresh_for = VALUES(fresh_for), leased_for = 0`;

/** Characters of a generation's id. An `@` and the time follow. */
const generationIdLength = 22;

/** The new generation, with a time that is not before that of the generation that it replaces. */
const stamped = `CONCAT(LEFT(VALUES(bytes), ${generationIdLength}), '@', GREATEST(written_at, VALUES(written_at)))`;

/**
 * The statements. They are the same for MySQL and MariaDB, except that only MariaDB has RETURNING:
 * on MySQL a second statement reads the row.
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

  read(keys: readonly string[]): Statement {
    return this.#where(
      "SELECT id, bytes FROM",
      keys.map((key) => Buffer.from(key)),
      `AND ${readable}`,
    );
  }

  /** Nearly no batch has long keys or its own freshness, and each column costs time. */
  write(rows: readonly TableRow<StoredRecord>[]): Statement {
    const hasLongKeys = rows.some(({ longKey }) => longKey !== undefined);
    const hasFreshness = rows.some(({ item }) => item.freshFor !== undefined);
    const besides = [...(hasLongKeys ? ["long_key"] : []), ...(hasFreshness ? ["fresh_for"] : [])];
    const parameters: Parameter[] = [];
    for (const row of rows) {
      const [id, longKey] = wholeKey(row);
      const [bytes, keptFor, fresh] = valueColumns(row);
      parameters.push(id, bytes, keptFor);
      if (hasLongKeys) parameters.push(longKey);
      if (hasFreshness) parameters.push(fresh);
    }
    const sql = `INSERT INTO ${this.#table} (${["id", "bytes", "kept_for", ...besides].join(", ")})
      VALUES ${list(rows.length, `(?,?,?${",?".repeat(besides.length)})`)} ON DUPLICATE KEY UPDATE ${replaced}`;
    return { sql, parameters };
  }

  /** Leaves expired rows without a lease to the sweeper, so that they are not counted. */
  remove(keys: readonly string[]): Statement {
    return this.#where(
      "DELETE FROM",
      keys.map((key) => Buffer.from(key)),
      `AND (leased_for > 0 OR (${readable}))`,
    );
  }

  /** Keeps rows with bytes for longer. Bytes that are fresh to their end are so to the new one. */
  touch(rows: readonly TableRow<StoredTouch>[]): Statement {
    const keptFor = `GREATEST(held.kept_for, ${now} - held.written_at + given.kept_for)`;
    const sql = `UPDATE ${given(rows.length, { id: "BINARY", kept_for: "SIGNED" })} STRAIGHT_JOIN ${this.#table} held
      ON held.id = given.id AND held.bytes IS NOT NULL AND held.expires_at > ${now}
      SET held.fresh_for = IF(held.fresh_for >= held.kept_for, ${keptFor}, held.fresh_for), held.kept_for = ${keptFor}`;
    return { sql, parameters: parametersOf(rows, (row) => [idOf(row), row.item.ttl]) };
  }

  /** Selects the rows with bytes that have not expired. */
  there(rows: readonly TableRow<unknown>[]): Statement {
    return this.#where("SELECT id FROM", rows.map(idOf), `AND ${readable}`);
  }

  /**
   * The bytes of an inserted row have expired, so its `fresh_for` says whether to steal, and its
   * `bytes` are those that the client has seen, if the batch has any. Answers bytes only for leases
   * that need them.
   */
  acquire(rows: readonly TableRow<Acquisition>[]): Insert {
    const hasSeen = rows.some(({ item }) => item.seen !== undefined);
    const clock = "VALUES(leased_at)";
    const held = `(leased_for > 0 AND leased_at + leased_for > ${clock})`;
    const fresh = `(bytes IS NOT NULL AND expires_at > ${clock} AND written_at + ${freshFor} > ${clock}${hasSeen ? " AND NOT (bytes <=> VALUES(bytes))" : ""})`;
    const toBeHad = `(VALUES(fresh_for) = 1 OR NOT (${held} OR ${fresh}))`;
    const isOurs = `(token = VALUES(token) OR ${toBeHad})`;
    const wanted = `${readable} AND written_at + ${freshFor} > ${now} AND COALESCE(token NOT IN (${list(rows.length, "?")}), TRUE)`;
    return {
      sql: `INSERT INTO ${this.#table} (id, long_key, token, leased_for, fresh_for${hasSeen ? ", bytes" : ""})
      VALUES ${list(rows.length, hasSeen ? "(?,?,?,?,?,?)" : "(?,?,?,?,?)")} ON DUPLICATE KEY UPDATE
      token = IF(${toBeHad}, VALUES(token), token),
      leased_at = IF(${isOurs}, VALUES(leased_at), leased_at),
      leased_for = IF(${isOurs}, VALUES(leased_for), leased_for)`,
      parameters: parametersOf(rows, (row) => {
        const { duration, steal, seen } = row.item;
        const lease = [...wholeKey(row), tokenOf(row), duration, steal ? 1 : 0];
        return hasSeen ? [...lease, seen === undefined ? null : asBuffer(seen)] : lease;
      }),
      columns: {
        sql: `id, IF(leased_for > 0, token, NULL), leased_at, IF(${wanted}, bytes, NULL)`,
        parameters: rows.map(tokenOf),
      },
      ids: rows.map(idOf),
    };
  }

  /** @param mark the token of the filled rows, which is nobody's */
  fill(rows: readonly TableRow<LeasedRecord>[], mark: Buffer): Statement {
    const [first] = rows;
    if (rows.length === 1 && first !== undefined) {
      const sql = `UPDATE ${this.#table} SET bytes = ?, written_at = ${now}, kept_for = ?, fresh_for = ?, token = ?, leased_for = 0
      WHERE id = ? AND token = ? AND leased_for > 0`;
      return { sql, parameters: [...valueColumns(first), mark, idOf(first), tokenOf(first)] };
    }
    const columns = { bytes: "BINARY", kept_for: "SIGNED", fresh_for: "SIGNED" } as const;
    const values = parametersOf(rows, (row) => [idOf(row), tokenOf(row), ...valueColumns(row)]);
    const sql = `UPDATE ${this.#held(rows.length, columns)}
      SET held.bytes = given.bytes, held.written_at = ${now}, held.kept_for = given.kept_for,
      held.fresh_for = given.fresh_for, held.token = ?, held.leased_for = 0`;
    return { sql, parameters: [...values, mark] };
  }

  /** Selects the rows that a call has marked. */
  marked(rows: readonly TableRow<unknown>[], mark: Buffer): Statement {
    return this.#where("SELECT id FROM", rows.map(idOf), "AND token = ?", [mark]);
  }

  /** @param mark the token of the released rows, which is nobody's */
  release(rows: readonly TableRow<HeldLease>[], mark: Buffer): Statement {
    const { sql, parameters } = this.#leased("", rows);
    return {
      sql: `UPDATE ${this.#table} SET token = ?, leased_for = 0 WHERE ${sql}`,
      parameters: [mark, ...parameters],
    };
  }

  extend(rows: readonly TableRow<LeaseExtension>[]): Statement {
    const sql = `UPDATE ${this.#held(rows.length, { leased_for: "SIGNED" })}
      SET held.leased_at = ${now}, held.leased_for = given.leased_for`;
    return { sql, parameters: parametersOf(rows, (row) => [idOf(row), tokenOf(row), row.item.duration]) };
  }

  /** Selects the rows that still have their token. */
  held(rows: readonly TableRow<HeldLease>[]): Statement {
    return this.#leased(`SELECT id FROM ${this.#table} WHERE `, rows);
  }

  /**
   * Sets `written_at` in any case, so the row's ttl begins now. Without bytes, `kept_for` is 0.
   */
  ensure(rows: readonly TableRow<NewGeneration>[], ttl: number | undefined): Insert {
    const clock = "VALUES(written_at)";
    const isThere = `(kept_for > 0 AND written_at + kept_for > ${clock})`;
    const end = `GREATEST(written_at + kept_for, ${clock} + VALUES(kept_for))`;
    return this.#generations(
      rows,
      ttl,
      `bytes = IF(${isThere}, bytes, ${stamped}),
      kept_for = IF(${isThere}, ${end} - GREATEST(written_at, ${clock}), VALUES(kept_for)),
      written_at = GREATEST(written_at, ${clock})`,
    );
  }

  bump(rows: readonly TableRow<NewGeneration>[], ttl: number | undefined): Insert {
    return this.#generations(
      rows,
      ttl,
      `bytes = ${stamped}, written_at = GREATEST(written_at, VALUES(written_at)), fresh_for = 0,
      kept_for = VALUES(kept_for), leased_for = 0`,
    );
  }

  /** Reads the rows that an INSERT has left. */
  reread({ columns, ids }: Insert): Statement {
    const { sql, parameters } = this.#where(`SELECT ${columns.sql} FROM`, ids);
    return { sql, parameters: [...columns.parameters, ...parameters] };
  }

  page(from: string, end: string): Statement {
    const sql = `SELECT id, long_key, (${readable}) OR (${leaseRuns}) FROM ${this.#table}
      WHERE id >= ? AND id < ? ORDER BY id LIMIT ${pageRows}`;
    return { sql, parameters: [Buffer.from(from), Buffer.from(end)] };
  }

  /** Selects rows for the sweeper. */
  expired(): Statement {
    return { sql: `SELECT id FROM ${this.#table} WHERE ${isOver} ORDER BY expires_at LIMIT ${sweptRows}` };
  }

  /** Looks again, because somebody may have written one of them. */
  sweep(ids: readonly Buffer[]): Statement {
    return this.#where("DELETE FROM", ids, `AND ${isOver}`);
  }

  /** Selects a row's place in the order of writing. */
  findWritten(skipped: number, place: Place | undefined): Statement {
    const older = place && olderThan("<", place);
    const sql = `SELECT written_at, id FROM ${this.#table} ${older ? `WHERE ${older.sql}` : ""}
      ORDER BY written_at DESC, id DESC LIMIT 1 OFFSET ${skipped}`;
    return { sql, parameters: older?.parameters ?? [] };
  }

  /** Selects the first rows in the order of writing. */
  oldest(place: Place): Statement {
    const { sql, parameters } = olderThan("<=", place);
    const rest = `NOT (${leaseRuns}) ORDER BY written_at, id LIMIT ${sweptRows}`;
    return { sql: `SELECT id FROM ${this.#table} WHERE ${sql} AND ${rest}`, parameters };
  }

  /**
   * Looks again, because somebody may have written one of them. The sum keeps the server from the
   * index of the times, of which it would lock a range.
   */
  removeWritten(ids: readonly Buffer[], place: Place): Statement {
    const { sql, parameters } = olderThan("<=", place);
    const isOlder = sql.replaceAll("written_at", "written_at + 0");
    return this.#where("DELETE FROM", ids, `AND ${isOlder} AND NOT (${leaseRuns})`, parameters);
  }

  #where(
    verb: string,
    ids: readonly Buffer[],
    rest = "",
    more: readonly Parameter[] = [],
  ): Required<Statement> {
    return {
      sql: `${verb} ${this.#table} WHERE ${among(ids.length)} ${rest}`,
      parameters: more.length === 0 ? ids : [...ids, ...more],
    };
  }

  #leased(before: string, rows: readonly TableRow<HeldLease>[]): Required<Statement> {
    return {
      sql: `${before}${among(rows.length)} AND (id, token) IN (${list(rows.length, "(?,?)")}) AND leased_for > 0`,
      parameters: [...rows.map(idOf), ...parametersOf(rows, (row) => [idOf(row), tokenOf(row)])],
    };
  }

  /**
   * Joins given rows, named `given`, with those of their leases, named `held`. Parameters of a row:
   * id, token, and the other columns.
   */
  #held(rows: number, others: ColumnTypes): string {
    return `${given(rows, { id: "BINARY", token: "BINARY", ...others })}
      STRAIGHT_JOIN ${this.#table} held ON held.id = given.id AND held.token = given.token AND held.leased_for > 0`;
  }

  /** Generations are ordinary records whose bytes the server writes, with its own time in them. */
  #generations(rows: readonly TableRow<NewGeneration>[], ttl: number | undefined, update: string): Insert {
    const values = list(rows.length, `(?,?,CONCAT(?, '@', ${now}),?)`);
    return {
      sql: `INSERT INTO ${this.#table} (id, long_key, bytes, kept_for) VALUES ${values} ON DUPLICATE KEY UPDATE ${update}`,
      parameters: parametersOf(rows, (row) => [...wholeKey(row), row.item.id, lifetime(ttl)]),
      columns: { sql: "id, bytes", parameters: [] },
      ids: rows.map(idOf),
    };
  }
}

/** Rows before a place. */
function olderThan(operator: "<" | "<=", { time, id }: Place): Required<Statement> {
  return { sql: `written_at <= ? AND (written_at < ? OR id ${operator} ?)`, parameters: [time, time, id] };
}

function among(ids: number): string {
  return ids === 1 ? "id = ?" : `id IN (${list(ids, "?")})`;
}

function list(rows: number, row: string, separator = ","): string {
  return Array.from({ length: rows }, () => row).join(separator);
}

type ColumnTypes = Readonly<Record<string, "BINARY" | "SIGNED">>;

/** Given rows as a table. The casts give the parameters their types, because no column does. */
function given(rows: number, types: ColumnTypes): string {
  const columns = Object.entries(types);
  const first = columns.map(([name, type]) => `CAST(? AS ${type}) ${name}`).join(", ");
  const next = `UNION ALL SELECT ${columns.map(([, type]) => `CAST(? AS ${type})`).join(", ")}`;
  return `(SELECT ${first} ${list(rows - 1, next, " ")}) given`;
}
