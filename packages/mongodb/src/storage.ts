import {
  BatchError,
  checkKeys,
  checkKeysOf,
  elapsed,
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
import { Connection, type Place } from "./client.js";
import { CollectionCall, type CollectionCalls, type WriteError, writeErrorsOf } from "./collection-call.js";
import { alive, page, removable, storing } from "./commands.js";
import { MongodbGenerations } from "./generations.js";
import { MongodbLeases } from "./leases.js";
import type { Settings } from "./options.js";
import { bytesOf, lengthsOf, longestValue } from "./record.js";
import { ServerClock } from "./server-clock.js";
import { makeIndex, sweep, sweepTime } from "./sweep.js";
import {
  clean,
  connectAdvice,
  isFull,
  isServers,
  needs,
  ofVersion,
  remedyFor,
  serverName,
} from "./trouble.js";

/** Keys in one page of a scan, and in one question to the server: a new question costs the server a new search. */
const pageSize = 1000;
const keysPerQuestion = 5 * pageSize;

/** Sweep intervals for which a record must be over before we remove what the server has not. */
const patience = 3;

/** A collection as a storage: a document a key. */
export class MongodbStorage implements RemoteStorage, CollectionCalls {
  readonly kind = "remote";
  readonly label: string;
  readonly leases: Leases;
  readonly generations: Generations;
  readonly #settings: Settings;
  readonly #connection: Connection;
  readonly #clock = new ServerClock();
  readonly #calls: StorageCalls;
  readonly #sweeper: Sweeper;
  #isLearning = false;

  constructor(settings: Settings) {
    this.label = settings.label;
    this.#settings = settings;
    this.#connection = new Connection(settings);
    this.leases = new MongodbLeases(this);
    this.generations = new MongodbGenerations(this);
    this.#sweeper = new Sweeper(settings.sweepInterval, () => this.#sweep());
    this.#calls = new StorageCalls({
      ...settings,
      open: (signal) => this.#open(signal),
      shut: () => this.#shut(),
      clean,
      advice: (error) => remedyFor(error) ?? "The storage's own words say why.",
      connectAdvice,
      isAnswer: isServers,
      refusalAdvice: remedyFor,
      trial: { storage: this, needs, passes: isFull, remedyFor },
    });
  }

  connect(): Promise<void> {
    return this.#calls.connect();
  }

  close(): Promise<void> {
    return this.#calls.close();
  }

  async ping(): Promise<void> {
    await this.run("a ping", ({ database, options }) => database.command({ ping: 1 }, options));
  }

  /**
   * The `localTime` of `hello`: the clock that `$$NOW` and `$currentDate` read, for less than a query costs. In MongoDB
   * `$$NOW` may lag some milliseconds behind it.
   */
  async time(): Promise<number> {
    return this.run("a look at the clock", ({ database, options }) => this.#clock.read(database, options));
  }

  async readMany(keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> {
    if (keys.length === 0) return [];
    checkKeys(keys, this.label);
    const found = await this.run("a read", (call) =>
      call.find(alive(keys), { bytes: 1, generation: 1 }, keys.length),
    );
    const values = new Map(found.map((document) => [document._id, bytesOf(document)]));
    return keys.map((key) => values.get(key));
  }

  async writeMany(records: readonly StoredRecord[]): Promise<void> {
    checkKeysOf(records, this.label);
    // Of two with one key the later one: an unordered batch may be done in any order.
    const last = [...new Map(records.map((record) => [record.key, record])).values()];
    const long = last.filter(isTooLong);
    const rest = long.length === 0 ? last : last.filter((record) => !isTooLong(record));
    if (long.length === 0) return this.#store(rest);
    const tooLong = this.#tooLong(long);
    await this.#store(rest).catch((error: unknown) => {
      throw error instanceof BatchError ? bothOf(tooLong, error) : error;
    });
    throw tooLong;
  }

  async #store(last: readonly StoredRecord[]): Promise<void> {
    if (last.length === 0) return;
    await this.run("a write", async (call) => {
      this.#learn(call);
      const statements = last.map((record) => {
        const lengths = lengthsOf(record);
        const update = storing({
          bytes: record.bytes,
          ...lengths,
          cachemeSweepAt: sweepTime(call.clock, lengths.ttl),
        });
        return { updateOne: { filter: { _id: record.key }, update, upsert: true } };
      });
      try {
        await call.upsert(statements, () => true);
      } catch (error) {
        const refused = writeErrorsOf(error);
        throw refused === undefined ? error : this.#notStored(refused, last);
      }
    });
  }

  async removeMany(keys: readonly string[]): Promise<number> {
    if (keys.length === 0) return 0;
    checkKeys(keys, this.label);
    const { deletedCount } = await this.run("a removal", ({ collection, options }) =>
      collection.deleteMany(removable(keys), options),
    );
    return deletedCount;
  }

  /** Each page begins after the last key of the one before, so nothing is open between two pages, nor after the last. */
  async *scan(pattern: KeyPattern): AsyncGenerator<readonly string[]> {
    let after: string | undefined;
    for (;;) {
      const filter = page(pattern, after);
      const found = await this.run("a page of a scan", (call) => call.page(filter, keysPerQuestion));
      const keys = found.map(({ _id }) => _id).filter((key) => pattern.matches(key));
      for (let start = 0; start < keys.length; start += pageSize) yield keys.slice(start, start + pageSize);
      if (found.length < keysPerQuestion) return;
      after = found.at(-1)?._id;
    }
  }

  async info(): Promise<StorageInfo> {
    return this.run("a look at the server", async ({ database, collection, options }) => {
      const [build, stats] = await Promise.all([
        database.command({ buildInfo: 1 }, options),
        // A user may lack the right to read statistics.
        database.command({ collStats: collection.collectionName }, options).catch(() => undefined),
      ]);
      return {
        server: serverName(build),
        records: numberIn(stats?.count),
        bytes: numberIn(stats?.size),
        details: { database: collection.dbName, collection: collection.collectionName },
      };
    });
  }

  run<T>(action: string, act: (call: CollectionCall) => Promise<T>): Promise<T> {
    const began = elapsed();
    return this.#calls.run(action, async (running) => {
      const { signal } = running;
      const place = await this.#connected();
      // Its caller has been told that it failed, so nothing may be sent any more.
      if (running.isLate) return new Promise<never>(() => {});
      // Before the driver hears of it, which would close the connection and leave it what it has to send.
      signal.addEventListener("abort", () => this.#connection.dropIfSilent(place, began), { once: true });
      try {
        const answer = await act(new CollectionCall(place, this.#clock, { signal }));
        this.#connection.heard();
        return answer;
      } catch (error) {
        if (isServers(error)) this.#connection.heard();
        throw error;
      }
    });
  }

  /** @throws BatchError naming the keys, where values are too long: before anything of the batch is sent */
  checkRecords(records: readonly StoredRecord[]): void {
    checkKeysOf(records, this.label);
    const long = records.filter(isTooLong);
    if (long.length > 0) throw this.#tooLong(long);
  }

  #tooLong(long: readonly StoredRecord[]): BatchError {
    const keys = long.map(({ key }) => key);
    return new BatchError(
      `${this.label}: the value of ${named(keys)} is too long for a document of MongoDB: ${long[0]?.bytes.byteLength} bytes, ` +
        `and at most ${longestValue} are possible. Store less under one key, or use another storage for it.`,
      new Set(keys),
    );
  }

  async #connected(): Promise<Place> {
    try {
      return await this.#connection.ready();
    } catch (error) {
      throw this.#calls.unreachable(ofVersion(this.label, error));
    }
  }

  async #open(signal: AbortSignal): Promise<void> {
    const place = await this.#connected();
    this.#clock.learn(await this.#clock.read(place.database, { signal }));
    await makeIndex(place, { signal });
    this.#connection.heard();
    this.#sweeper.start();
  }

  async #shut(): Promise<void> {
    await this.#sweeper.stop();
    await this.#connection.close();
  }

  async #sweep(): Promise<boolean> {
    const { database, collection } = await this.#connection.ready();
    const options = { signal: AbortSignal.timeout(this.#settings.commandTimeout) };
    this.#clock.learn(await this.#clock.read(database, options));
    return sweep(collection, this.#clock, patience * this.#settings.sweepInterval, options);
  }

  /** Asks for the server's time again when it was long ago. Nobody waits for it. */
  #learn({ database, options }: CollectionCall): void {
    if (!this.#clock.isStale || this.#isLearning) return;
    this.#isLearning = true;
    this.#clock
      .read(database, options)
      .then((time) => this.#clock.learn(time))
      .catch(() => {})
      .finally(() => {
        this.#isLearning = false;
      });
  }

  #notStored(refused: readonly WriteError[], records: readonly StoredRecord[]): BatchError {
    const keys = refused.map(({ index }) => records[index]?.key ?? "");
    const cause = new Error(refused[0]?.errmsg ?? "no words");
    return new BatchError(
      `${this.label}: ${keys.length} of ${records.length} records may not be stored: ${named(keys)}. The first one's error: ` +
        `${cause.message}.`,
      new Set(keys),
      { cause },
    );
  }
}

/** Records of one batch may be refused here and there. */
function bothOf(here: BatchError, there: BatchError): BatchError {
  const keys = new Set([...here.keys, ...there.keys]);
  return new BatchError(`${here.message} ${there.message}`, keys, { cause: there });
}

function isTooLong({ bytes }: StoredRecord): boolean {
  return bytes.byteLength > longestValue;
}

function named(keys: readonly string[]): string {
  const texts = keys.map(shownKey);
  return texts.length > 5 ? `${texts.slice(0, 5).join(", ")} and ${texts.length - 5} more` : texts.join(", ");
}

function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
