import {
  BatchError,
  checkKeys,
  type Generations,
  type KeyPattern,
  type Leases,
  type RemoteStorage,
  StorageCalls,
  type StorageInfo,
  type StoredRecord,
  Sweeper,
  shownKey,
} from "cacheme/driver";
import { padded, roomOf, statements } from "./batch.js";
import { Client } from "./client.js";
import { Commands, tableFacts } from "./commands.js";
import { MysqlGenerations } from "./generations.js";
import { MysqlLeases } from "./leases.js";
import type { Settings } from "./options.js";
import { idSize, kept, sizeOf } from "./record.js";
import type { Fitting, Rows } from "./rows.js";
import { needs, type ServerFacts, serverOf } from "./server.js";
import { Session } from "./session.js";
import { idAfter, idsBetween, inOrder, type Ordered, storedId, textOf } from "./stored-id.js";
import { advice, clean, isPassing, isServers, remedyFor } from "./trouble.js";
import { writing } from "./writing.js";

/** Rows that a page of a scan looks at, and keys in it at most. */
const pageRows = 1000;

/** Records that the sweeper removes in one statement. */
const sweptRows = 500;

/** A table of rows, one a key. How a row looks is told in `table.ts`, what is sent in `commands.ts`. */
export class MysqlStorage implements RemoteStorage {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases;
  readonly generations: Generations;
  readonly #settings: Settings;
  readonly #client: Client;
  readonly #commands: Commands;
  readonly #calls: StorageCalls;
  readonly #sweeper: Sweeper;
  #facts: ServerFacts | undefined;

  constructor(settings: Settings) {
    this.label = settings.label;
    this.#settings = settings;
    this.#client = new Client(settings);
    this.#commands = new Commands(settings.table);
    this.#sweeper = new Sweeper(settings.sweepInterval, () => this.#sweep());
    this.#calls = new StorageCalls({
      ...settings,
      open: (signal) => this.#open(signal),
      shut: async () => {
        await this.#sweeper.stop();
        await this.#client.close();
      },
      clean,
      advice,
      isAnswer: isServers,
      refusalAdvice: remedyFor,
      trial: { storage: this, needs, passes: isPassing, remedyFor },
    });
    const rows: Rows = {
      label: this.label,
      commands: this.#commands,
      server: () => this.#server(),
      run: (action, act) => this.#run(action, act),
      split: (whole, sizeOfRow) => statements(whole, this.#server().packet, sizeOfRow),
      fitting: (whole) => this.#fitting(whole),
    };
    this.leases = new MysqlLeases(rows);
    this.generations = new MysqlGenerations(rows);
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async ping(): Promise<void> {
    await this.#run("a ping", (session) => session.rows("SELECT 1"));
  }

  /** The server's UTC_TIMESTAMP, as every expiry is told from. */
  async time(): Promise<number> {
    return this.#run("a look at the clock", async (session) => {
      const [row] = await session.rows(this.#commands.time);
      return Number(row?.[0]);
    });
  }

  async readMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return [];
    return this.#run("a read", async (session) => {
      const wanted = keys.map(storedId);
      const byText = new Map(wanted.map((stored) => [stored.text, stored]));
      const found = new Map<string, Buffer>();
      for (const part of statements([...byText.values()], this.#server().packet, idSize)) {
        const rows = padded(part, idSize);
        const isLong = rows.some(({ longKey }) => longKey !== null);
        const sql = isLong ? this.#commands.readLong(rows.length) : this.#commands.read(rows.length);
        const ids = rows.map(({ id }) => id);
        for (const [id, bytes, longKey] of await session.rows(sql, ids)) {
          if (!Buffer.isBuffer(id) || !Buffer.isBuffer(bytes)) continue;
          const text = textOf(id);
          // Another key could have the same hash.
          if (Buffer.isBuffer(longKey) && !byText.get(text)?.longKey?.equals(longKey)) continue;
          found.set(text, kept(bytes));
        }
      }
      return wanted.map(({ text }) => found.get(text));
    });
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    checkKeys(keysOf(records), this.label);
    if (records.length === 0) return;
    await this.#run("a write", async (session) => {
      const { rows, error } = this.#fitting(inOrder(records, ({ key }) => key));
      for (const part of statements(rows, this.#server().packet, sizeOf)) {
        const { sql, parameters } = writing(this.#commands, padded(part, sizeOf));
        await session.change(sql, parameters);
      }
      if (error !== undefined) throw error;
    });
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    checkKeys(keys, this.label);
    if (keys.length === 0) return 0;
    return this.#run("a removal", async (session) => {
      let count = 0;
      for (const part of statements(
        inOrder(keys, (key) => key),
        this.#server().packet,
        idSize,
      )) {
        const rows = padded(part, idSize);
        const ids = rows.map(({ id }) => id);
        count += await session.change(this.#commands.remove(rows.length), ids);
      }
      return count;
    });
  }

  /** Goes through the ids from page to page, each of which looks at so many rows, whatever matches. */
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    const [first, end] = idsBetween(pattern.prefix);
    let from = first;
    for (;;) {
      const rows = await this.#run("a scan", (session) =>
        session.rows(this.#commands.page(pageRows), [from, end]),
      );
      const keys = rows.flatMap(([id, longKey, isThere]) => {
        const key = Number(isThere) === 1 ? String(longKey ?? id) : "";
        return key !== "" && pattern.matches(key) ? [key] : [];
      });
      if (keys.length > 0) yield keys;
      const last = rows.at(-1)?.[0];
      if (rows.length < pageRows || !Buffer.isBuffer(last)) return;
      from = idAfter(last);
    }
  }

  async info(): Promise<StorageInfo> {
    return this.#run("info", async (session) => {
      const [name = "", database = null] = this.#settings.table.replaceAll("`", "").split(".").reverse();
      const [row] = await session.rows(tableFacts, [name, database]);
      const { product, version, packet } = this.#server();
      return {
        server: `${product} ${version}`,
        records: count(row?.[0]),
        bytes: count(row?.[1]),
        details: { table: this.#settings.table, maxAllowedPacket: packet },
      };
    });
  }

  #run<T>(action: string, act: (session: Session) => Promise<T>): Promise<T> {
    const session = new Session(this.#client);
    return this.#calls.run(
      action,
      () => session.use(act),
      () => session.giveUp(),
    );
  }

  async #open(signal: AbortSignal): Promise<void> {
    const session = new Session(this.#client);
    signal.addEventListener("abort", () => session.giveUp(), { once: true });
    this.#facts = await session.use((open) => serverOf(open, this.#commands, this.#settings));
    this.#sweeper.start();
  }

  #server(): ServerFacts {
    if (this.#facts === undefined) throw new Error("the storage is not open");
    return this.#facts;
  }

  #fitting<T extends StoredRecord>(rows: readonly Ordered<T>[]): Fitting<T> {
    const { packet } = this.#server();
    const room = roomOf(packet);
    const tooLarge = rows.filter((row) => sizeOf(row) > room);
    if (tooLarge.length === 0) return { rows, error: undefined };
    const keys = tooLarge.map(({ item }) => `${shownKey(item.key)} (${item.bytes.byteLength} bytes)`);
    const named = keys.slice(0, 5).join(", ") + (keys.length > 5 ? ` and ${keys.length - 5} more` : "");
    const error = new BatchError(
      `${this.label}: ${keys.length} of ${rows.length} records are too large for the server, whose max_allowed_packet is ` +
        `${packet} bytes: ${named}. The others were stored. Store less, or raise max_allowed_packet on the server.`,
      new Set(tooLarge.map(({ item }) => item.key)),
    );
    return { rows: rows.filter((row) => sizeOf(row) <= room), error };
  }

  /** Looks first, and locks only what it removes: a range of the index that is locked holds up every write. */
  #sweep(): Promise<boolean> {
    return this.#run("a sweep", async (session) => {
      const found = await session.rows(this.#commands.expired(sweptRows));
      const ids = found.flatMap(([id]) => (Buffer.isBuffer(id) ? [id] : [])).sort(Buffer.compare);
      if (ids.length > 0) await session.change(this.#commands.sweep(ids.length), ids);
      return ids.length === sweptRows;
    });
  }
}

function keysOf(records: readonly StoredRecord[]): string[] {
  return records.map(({ key }) => key);
}

function count(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
