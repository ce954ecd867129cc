import { types } from "node:util";
import {
  checkKeys,
  checkKeysOf,
  type Generations,
  type KeyPattern,
  type Leases,
  type RemoteStorage,
  type StorageInfo,
  type StoredRecord,
  Sweeper,
} from "cacheme/driver";
import { byteaArray, numberArray, textArray } from "./binary-array.js";
import { PostgresClient } from "./client.js";
import { rowsAtOnce, type Statements, statements } from "./commands.js";
import { PostgresGenerations } from "./generations.js";
import { PostgresLeases } from "./leases.js";
import type { Settings } from "./options.js";
import {
  beginning,
  behind,
  indexedKey,
  inLockOrder,
  justAfter,
  keysInLockOrder,
  longKey,
  times,
} from "./record.js";

/** One table of a PostgreSQL database, one statement a batch. */
export class PostgresStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases;
  readonly generations: Generations;
  readonly #settings: Settings;
  readonly #client: PostgresClient;
  readonly #statements: Statements;
  readonly #sweeper: Sweeper;

  constructor(settings: Settings) {
    this.label = settings.label;
    this.#settings = settings;
    this.#statements = statements(settings.table);
    this.#sweeper = new Sweeper(settings.sweepInterval, () => this.#sweep());
    this.#client = new PostgresClient(
      settings,
      this,
      () => this.#sweeper.start(),
      () => this.#sweeper.stop(),
    );
    this.leases = new PostgresLeases(this.#client, this.#statements, settings.label);
    this.generations = new PostgresGenerations(this.#client, this.#statements, settings.label);
  }

  connect(): Promise<void> {
    return this.#client.calls.connect();
  }

  close(): Promise<void> {
    return this.#client.calls.close();
  }

  async ping(): Promise<void> {
    await this.#client.ask("a ping", this.#statements.ping, []);
  }

  /** The time of the statement on the server, as every expiry is told from. */
  async time(): Promise<number> {
    const [row] = await this.#client.ask("a look at the clock", this.#statements.time, []);
    return Number(row?.[0]);
  }

  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return [];
    const indexed = keys.map(indexedKey);
    // A key that stands twice is answered once: it is one row.
    const rows = await this.#client.ask("a read", this.#statements.read, [textArray(indexed)]);
    const found = new Map<unknown, Uint8Array>();
    for (const [key, bytes] of rows) if (types.isUint8Array(bytes)) found.set(key, bytes);
    return indexed.map((key) => found.get(key));
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    checkKeysOf(records, this.label);
    if (records.length === 0) return;
    const ordered = inLockOrder(records);
    const { ttl, freshFor } = times(ordered);
    await this.#client.ask("a write", this.#statements.write, [
      textArray(ordered.map(([key]) => key)),
      textArray(ordered.map(([, { key }]) => longKey(key))),
      byteaArray(ordered.map(([, { bytes }]) => bytes)),
      numberArray(ttl),
      numberArray(freshFor),
    ]);
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return 0;
    const asked = textArray(keysInLockOrder(keys));
    const [row] = await this.#client.ask("a removal", this.#statements.remove, [asked]);
    return Number(row?.[0] ?? 0);
  }

  /** By the order of the index. The beginning that keys have in common bounds what is looked at; the rest is filtered. */
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    const start = beginning(pattern.prefix);
    const end = behind(start);
    const like = pattern.like();
    for (let from: string | undefined = start; from !== undefined; ) {
      const rows = await this.#client.ask("a scan", this.#statements.scan, [from, end, like]);
      const keys = rows.flatMap(([key]) => (typeof key === "string" ? [key] : []));
      // The last row tells how far the server has looked; nothing where there was nothing more.
      const last = rows.at(-1)?.[1];
      from = typeof last === "string" ? justAfter(last) : undefined;
      if (keys.length > 0) yield keys;
    }
  }

  async info(): Promise<StorageInfo> {
    const [row] = await this.#client.ask("a question about the server", this.#statements.info, []);
    const [version, records, bytes, unlogged, product] = row ?? [];
    // Before the table was analyzed for the first time the server says -1.
    const counted = Number(records ?? -1);
    return {
      server: serverName(String(version ?? "of an unknown version"), String(product)),
      records: counted < 0 ? undefined : counted,
      bytes: Number(bytes ?? 0),
      details: { table: this.#settings.tableName, unlogged: unlogged === "t" },
    };
  }

  async #sweep(): Promise<boolean> {
    const [row] = await this.#client.ask("a sweep", this.#statements.sweep, []);
    return Number(row?.[0] ?? 0) === rowsAtOnce;
  }
}

/** Another product says its own name in `version()`, such as `CockroachDB CCL v23.1.11 (…)`. */
function serverName(version: string, said: string): string {
  return said.startsWith("PostgreSQL") ? `PostgreSQL ${version}` : (said.split(" (", 1)[0] ?? said);
}
