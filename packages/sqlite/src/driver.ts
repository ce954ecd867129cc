import { types } from "node:util";
import {
  type Acquisition,
  type Driver,
  type DriverErrors,
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
import { Client } from "./client.js";
import { bump, ensure, find } from "./generations.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import { remove, store } from "./record.js";
import { type Place, sweep, writtenRows } from "./sweep.js";
import { adviceFor, isFull } from "./trouble.js";

/** Keys that one page of a scan looks at. */
const scanPage = 1000;

/** Up to here records are counted one by one, which takes some milliseconds at most. */
const countedRecords = 100_000;

/** Statements of SQLite. Each batch is one transaction, or several if it is long. */
export class SqliteDriver implements Driver {
  readonly takesRepeatedKeys = { read: true, write: true } as const;
  readonly errors: DriverErrors = { advice: adviceFor, connectAdvice: adviceFor, isFull };
  readonly #client: Client;
  readonly #bound: SizeBound<Place> | undefined;

  constructor(settings: Settings) {
    this.#client = new Client(settings);
    this.#bound = settings.maxSize === undefined ? undefined : new SizeBound(settings.maxSize);
  }

  open(): Promise<void> {
    return this.#client.open();
  }

  async close(): Promise<void> {
    this.#client.close();
  }

  ping(call: StorageCall): Promise<number> {
    return this.time(call);
  }

  /** The machine's clock, as SQLite reads it for every expiry: processes on one file share it. */
  time(call: StorageCall): Promise<number> {
    return this.#client.use(call, (session) => session.now());
  }

  read(keys: readonly string[], call: StorageCall): Promise<(Uint8Array | undefined)[]> {
    const [first = ""] = keys;
    // One statement needs no transaction around it.
    if (keys.length === 1) {
      return this.#client.use(call, ({ commands }) => [bytesOf(commands.readOne.value(first))]);
    }
    return this.#client.batch(call, "reading", keys, ({ commands, now }, key) =>
      bytesOf(commands.read.value(key, now)),
    );
  }

  write(records: readonly StoredRecord[], call: StorageCall): Promise<unknown> {
    return this.#client.batch(call, "writing", records, store);
  }

  async remove(keys: readonly string[], call: StorageCall): Promise<number> {
    const removed = await this.#client.batch(call, "writing", keys, remove);
    return removed.filter(Boolean).length;
  }

  /** Lists the keys in order, so each page begins behind the last key of the page before. */
  async *scan({ prefix }: KeyPattern, page: ScanPage): AsyncGenerator<readonly string[]> {
    for (let from = prefix; ; ) {
      const keys = await page((call) =>
        this.#client.use(call, (session) => session.keysFrom(from, scanPage)),
      );
      yield keys;
      const last = keys.at(-1);
      // The keys with the prefix stand together.
      if (last === undefined || keys.length < scanPage || !last.startsWith(prefix)) return;
      // No key is between, because no key has a control character.
      from = `${last}\u0001`;
    }
  }

  info(call: StorageCall): Promise<StorageInfo> {
    return this.#client.use(call, (session) => {
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

  acquire(requests: readonly Acquisition[], call: StorageCall): Promise<readonly LeaseAnswer[]> {
    return this.#client.batch(call, "writing", requests, acquire);
  }

  fill(records: readonly LeasedRecord[], call: StorageCall): Promise<readonly boolean[]> {
    return this.#client.batch(call, "writing", records, fill);
  }

  release(leases: readonly HeldLease[], call: StorageCall): Promise<readonly boolean[]> {
    return this.#client.batch(call, "writing", leases, release);
  }

  extend(leases: readonly LeaseExtension[], call: StorageCall): Promise<readonly boolean[]> {
    return this.#client.batch(call, "writing", leases, extend);
  }

  /** Most generations are there, and reading them needs no lock. */
  async ensure(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    const found = await this.#client.batch(call, "reading", tags, (slice, tag) => find(slice, tag, ttl));
    const missing = tags.filter((_, index) => found[index] === undefined);
    if (missing.length === 0) return found;
    const made = await this.#client.batch(call, "writing", missing, (slice, tag) => ensure(slice, tag, ttl));
    let next = 0;
    return found.map((generation) => generation ?? made[next++]);
  }

  async bump(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    try {
      return await this.#client.batch(call, "writing", tags, (slice, tag) => bump(slice, tag, ttl));
    } catch (error) {
      // The removal that follows on a full disk is written to the log first, which needs room.
      if (isFull(error)) await this.#client.use(call, (session) => session.reuseLog()).catch(() => {});
      throw error;
    }
  }

  async sweep(call: StorageCall): Promise<boolean> {
    if (await this.#client.use(call, sweep)) return true;
    return (await this.#bound?.step(writtenRows(this.#client, call))) ?? false;
  }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return types.isUint8Array(value) ? value : undefined;
}
