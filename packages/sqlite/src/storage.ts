import { types } from "node:util";
import {
  checkKeys,
  checkKeysOf,
  type Generations,
  isError,
  type KeyPattern,
  type Leases,
  type RemoteStorage,
  StorageCalls,
  StorageError,
  type StorageInfo,
  type StoredRecord,
  Sweeper,
} from "cacheme/driver";
import { Client } from "./client.js";
import { endLease, store } from "./entries.js";
import { SqliteGenerations } from "./generations.js";
import { SqliteLeases } from "./leases.js";
import type { Settings } from "./options.js";
import type { Session } from "./session.js";
import { sweep } from "./sweep.js";
import { adviceFor } from "./trouble.js";

/** Keys that one page of a scan looks at. */
const scanPage = 1000;

/** Up to here records are counted one by one, which takes some milliseconds at most. */
const countedRecords = 100_000;

/** Reads and writes, each a call with a deadline. */
export class SqliteStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases;
  readonly generations: Generations;
  readonly #calls: StorageCalls;
  readonly #client: Client;

  constructor(settings: Settings) {
    this.label = settings.label;
    const client = new Client(settings);
    const sweeper = new Sweeper(settings.sweepInterval, () => client.use({ isLate: false }, sweep));
    this.#client = client;
    this.#calls = new StorageCalls({
      ...settings,
      async open() {
        await client.open().catch((error: unknown) => Promise.reject(notOpened(settings.label, error)));
        sweeper.start();
      },
      async shut() {
        await sweeper.stop();
        client.close();
      },
      advice: adviceFor,
    });
    this.leases = new SqliteLeases(this.label, this.#calls, client);
    this.generations = new SqliteGenerations(this.label, this.#calls, client);
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async ping(): Promise<void> {
    await this.#use("a ping", (session) => session.now());
  }

  /** The machine's clock, as SQLite reads it for every expiry: processes on one file share it. */
  async time(): Promise<number> {
    return this.#use("a look at the clock", (session) => session.now());
  }

  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    checkKeys(keys, this.label);
    const [first] = keys;
    if (first === undefined) return [];
    // One statement needs no transaction around it.
    if (keys.length === 1) {
      return [await this.#use("a read", ({ commands }) => bytesOf(commands.readOne.value(first)))];
    }
    const found: (Uint8Array | undefined)[] = new Array(keys.length);
    await this.#calls.run("a read", (call) =>
      this.#client.batch(call, "reading", keys.length, ({ commands, now }, index) => {
        found[index] = bytesOf(commands.read.value(keys[index] ?? "", now));
      }),
    );
    return found;
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    checkKeysOf(records, this.label);
    if (records.length === 0) return;
    await this.#calls.run("a write", (call) =>
      this.#client.batch(call, "writing", records.length, (slice, index) => {
        const record = records[index];
        if (record !== undefined) store(slice, record);
      }),
    );
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return 0;
    // By record and not as a sum: a transaction that failed is done again.
    const removed: number[] = new Array(keys.length).fill(0);
    await this.#calls.run("a removal", (call) =>
      this.#client.batch(call, "writing", keys.length, (slice, index) => {
        const key = keys[index] ?? "";
        removed[index] = Number(slice.commands.remove.value(key, slice.now) ?? 0);
        endLease(slice, key);
      }),
    );
    return removed.reduce((sum, count) => sum + count, 0);
  }

  /** In the order of the keys, so that each page goes on behind the last key of the one before. */
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    let from = pattern.prefix;
    for (;;) {
      const page = await this.#use("a page of a scan", (session) => {
        const now = session.now();
        const asked = [from, now, scanPage] as const;
        return session.commands.scan.values(...asked, ...asked, scanPage).map(String);
      });
      const matching = page.filter((key) => pattern.matches(key));
      if (matching.length > 0) yield matching;
      const last = page.at(-1);
      // What begins with the prefix stands together.
      if (last === undefined || page.length < scanPage || !last.startsWith(pattern.prefix)) return;
      // No key is between, since control characters are in none.
      from = `${last}\u0001`;
    }
  }

  async info(): Promise<StorageInfo> {
    return this.#use("an inquiry", (session) => {
      const { commands, database } = session;
      const records = session.number("count", countedRecords + 1);
      return {
        server: `SQLite ${commands.version.value()} (${database.driver})`,
        records: records > countedRecords ? undefined : records,
        bytes: session.number("pages") * session.number("pageSize"),
        details: { journal: String(commands.journal.value()), freePages: session.number("freePages") },
      };
    });
  }

  #use<T>(action: string, work: (session: Session) => T): Promise<T> {
    return this.#calls.run(action, (call) => this.#client.use(call, work));
  }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return types.isUint8Array(value) ? value : undefined;
}

function notOpened(label: string, error: unknown): StorageError {
  if (error instanceof StorageError) return error;
  const cause = isError(error) ? error : new Error(String(error));
  const message = `${label} cannot be opened: ${cause.message.replace(/\.$/, "")}. ${adviceFor(cause)}`;
  return new StorageError("CACHEME_CONNECT_FAILED", message, { cause });
}
