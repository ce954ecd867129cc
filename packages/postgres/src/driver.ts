import {
  type Acquisition,
  type Driver,
  type DriverErrors,
  type DriverTrial,
  generationFrom,
  type HeldLease,
  type KeyPattern,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseExtension,
  type Made,
  type NewGeneration,
  type ScanPage,
  SizeBound,
  type StorageCall,
  type StorageInfo,
  type StoredRecord,
} from "cacheme/driver";
import { booleanArray, byteaArray, numberArray, textArray } from "./binary-array.js";
import { type Parameter, PostgresClient, type Row } from "./client.js";
import { rowsAtOnce, type Statement, type Statements, statements } from "./commands.js";
import type { Settings } from "./options.js";
import {
  behind,
  bytesByKey,
  inLockOrder,
  justAfter,
  keyColumn,
  longKeyColumn,
  longKeys,
  tokenColumn,
  valueColumns,
} from "./record.js";
import { serverErrors, trial } from "./server-errors.js";

/**
 * One table of a PostgreSQL database. Each batch is one statement. Leases are columns of the
 * record's own row, so every write and every removal of the row ends them.
 */
export class PostgresDriver implements Driver {
  readonly takesRepeatedKeys = { read: true } as const;
  readonly errors: DriverErrors = serverErrors;
  readonly trial: DriverTrial = trial;
  readonly #settings: Settings;
  readonly #statements: Statements;
  readonly #client: PostgresClient;
  readonly #bound: SizeBound<number> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#statements = statements(settings.table, settings.prepare);
    this.#client = new PostgresClient(settings);
    this.#bound = settings.maxSize === undefined ? undefined : new SizeBound(settings.maxSize);
  }

  open(signal: AbortSignal): Promise<void> {
    return this.#client.open(signal);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  ping(call: StorageCall): Promise<unknown> {
    return this.#client.ask(call, this.#statements.ping, []);
  }

  /** Reads the time of the statement on the server, from which every expiry is counted. */
  time(call: StorageCall): Promise<number> {
    return this.#number(call, this.#statements.time);
  }

  async read(keys: readonly string[], call: StorageCall): Promise<(Uint8Array | undefined)[]> {
    const indexed = keys.map((key) => longKeys.indexed(key));
    const rows = await this.#client.ask(call, this.#statements.read, [textArray(indexed)]);
    const found = bytesByKey(rows, 1);
    return indexed.map((key) => found.get(key));
  }

  write(records: readonly StoredRecord[], call: StorageCall): Promise<unknown> {
    const batch = inLockOrder(records);
    const columns = [keyColumn(batch), longKeyColumn(batch), ...valueColumns(batch)];
    return this.#client.ask(call, this.#statements.write, columns);
  }

  remove(keys: readonly string[], call: StorageCall): Promise<number> {
    const indexed = keys.map((key) => longKeys.indexed(key)).sort();
    return this.#number(call, this.#statements.remove, [textArray(indexed)]);
  }

  /**
   * Scans in the order of the index. The pattern's prefix bounds the range; the server filters the
   * rest.
   */
  async *scan(pattern: KeyPattern, page: ScanPage): AsyncGenerator<readonly string[]> {
    const start = longKeys.beginning(pattern.prefix);
    const end = behind(start);
    const like = pattern.like();
    for (let from: string | undefined = start; from !== undefined; ) {
      const values: Parameter[] = [from, end, like];
      const rows: readonly Row[] = await page((call) =>
        this.#client.ask(call, this.#statements.scan, values),
      );
      // The last row has the last key that the server looked at, or no key at the end of the range.
      const last = rows.at(-1)?.[1];
      from = typeof last === "string" ? justAfter(last) : undefined;
      yield rows.flatMap(([key]) => (typeof key === "string" ? [key] : []));
    }
  }

  async info(call: StorageCall): Promise<StorageInfo> {
    const [row] = await this.#client.ask(call, this.#statements.info, []);
    const [version, records, bytes, unlogged, product] = row ?? [];
    // The server says -1 until the table is analyzed for the first time.
    const counted = Number(records ?? -1);
    return {
      server: serverName(String(version ?? "of an unknown version"), String(product)),
      records: counted < 0 ? undefined : counted,
      bytes: Number(bytes ?? 0),
      details: { table: this.#settings.tableName, unlogged: unlogged === "t" },
    };
  }

  async acquire(requests: readonly Acquisition[], call: StorageCall): Promise<readonly LeaseAnswer[]> {
    const batch = inLockOrder(requests);
    const rows = await this.#client.ask(call, this.#statements.acquire, [
      keyColumn(batch),
      longKeyColumn(batch),
      tokenColumn(batch),
      numberArray(batch.map(([, { duration }]) => duration)),
      booleanArray(batch.map(([, { steal }]) => steal)),
      byteaArray(batch.map(([, { seen }]) => seen)),
    ]);
    const granted = new Map<unknown, number>();
    for (const [key, at] of rows) if (at !== null) granted.set(key, Number(at));
    const fresh = bytesByKey(rows, 2);
    return requests.map(({ key, token }) => {
      const indexed = longKeys.indexed(key);
      const at = granted.get(indexed);
      if (at !== undefined) return { outcome: "granted", token, at };
      const bytes = fresh.get(indexed);
      return bytes === undefined ? { outcome: "held" } : { outcome: "fresh", bytes };
    });
  }

  fill(records: readonly LeasedRecord[], call: StorageCall): Promise<readonly boolean[]> {
    const batch = inLockOrder(records);
    const columns = [keyColumn(batch), tokenColumn(batch), ...valueColumns(batch)];
    return this.#changed(call, this.#statements.fill, records, columns);
  }

  release(leases: readonly HeldLease[], call: StorageCall): Promise<readonly boolean[]> {
    const batch = inLockOrder(leases);
    const columns = [keyColumn(batch), tokenColumn(batch)];
    return this.#changed(call, this.#statements.release, leases, columns);
  }

  extend(leases: readonly LeaseExtension[], call: StorageCall): Promise<readonly boolean[]> {
    const batch = inLockOrder(leases);
    const durations = numberArray(batch.map(([, { duration }]) => duration));
    const columns = [keyColumn(batch), tokenColumn(batch), durations];
    return this.#changed(call, this.#statements.extend, leases, columns);
  }

  ensure(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    return this.#generations(call, this.#statements.ensure, tags, ttl);
  }

  bump(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    return this.#generations(call, this.#statements.bump, tags, ttl);
  }

  /** Removes expired records, and then those beyond `maxSize`. */
  async sweep(call: StorageCall): Promise<boolean> {
    if ((await this.#number(call, this.#statements.sweep)) === rowsAtOnce) return true;
    const { findWritten, removeWritten } = this.#statements;
    const step = this.#bound?.step({
      find: async (olderThan, skipped) => {
        const [row] = await this.#client.ask(call, findWritten, [olderThan ?? null, skipped]);
        return row && Number(row[0]);
      },
      removeUpTo: async (place) => (await this.#number(call, removeWritten, [place])) === rowsAtOnce,
    });
    return (await step) ?? false;
  }

  async #generations(
    call: StorageCall,
    statement: Statement,
    tags: readonly NewGeneration[],
    ttl: number | undefined,
  ): Promise<Made> {
    const batch = inLockOrder(tags);
    const ids = textArray(batch.map(([, { id }]) => id));
    const values = [keyColumn(batch), longKeyColumn(batch), ids, ttl ?? null];
    const found = bytesByKey(await this.#client.ask(call, statement, values), 1);
    return tags.map(({ key }) => generationFrom(found.get(longKeys.indexed(key))));
  }

  /** Answers whether each lease is among those that a statement has changed. */
  async #changed(
    call: StorageCall,
    statement: Statement,
    leases: readonly HeldLease[],
    columns: Parameter[],
  ): Promise<readonly boolean[]> {
    const rows = await this.#client.ask(call, statement, columns);
    const changed = new Set<unknown>(rows.map(([key]) => key));
    return leases.map(({ key }) => changed.has(longKeys.indexed(key)));
  }

  /** Returns the only value of a statement that answers one number. */
  async #number(call: StorageCall, statement: Statement, values: Parameter[] = []): Promise<number> {
    const [row]: readonly Row[] = await this.#client.ask(call, statement, values);
    return Number(row?.[0] ?? 0);
  }
}

/** Another product has its own name in `version()`, such as `CockroachDB CCL v23.1.11 (…)`. */
function serverName(version: string, said: string): string {
  return said.startsWith("PostgreSQL") ? `PostgreSQL ${version}` : (said.split(" (", 1)[0] ?? said);
}
