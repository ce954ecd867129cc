import type * as kit from "cacheme/driver";
import { elapsed, KeyFailures, SizeBound } from "cacheme/driver";
import { Client } from "./client.js";
import { CollectionCall } from "./collection-call.js";
import { alive, page as pageAfter, removable, storing } from "./commands.js";
import { bump, ensure } from "./generations.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import { bytesOf, fitting, lengthsOf } from "./record.js";
import { ServerClock } from "./server-clock.js";
import { makeBoundIndex, type WrittenAt, writtenDocuments } from "./size-bound.js";
import { makeIndex, sweep, sweepTime } from "./sweep.js";
import {
  adviceFor,
  clean,
  connectAdvice,
  isFull,
  isServers,
  needs,
  remedyFor,
  serverName,
  writeErrorsOf,
} from "./trouble.js";

type Call = kit.StorageCall;
type Method<Name extends keyof kit.Driver> = NonNullable<kit.Driver[Name]>;

/** Keys in one page of a scan, and in one query: each query costs the server a new search. */
const pageSize = 1000;
const keysPerQuery = 5 * pageSize;

/** Sweep intervals after which the sweep removes what the server has left. */
const patience = 3;

/** One document for each key, in one collection. */
export class MongodbDriver implements kit.Driver {
  readonly takesRepeatedKeys = { read: true } as const;
  readonly errors: kit.DriverErrors = {
    clean,
    advice: adviceFor,
    connectAdvice,
    isAnswer: isServers,
    remedyFor,
    isFull,
  };
  readonly trial: kit.DriverTrial = { needs };
  readonly #client: Client;
  readonly #clock = new ServerClock();
  readonly #label: string;
  readonly #overdue: number;
  readonly #bound: SizeBound<WrittenAt> | undefined;

  readonly ping: Method<"ping"> = (call) =>
    this.#use(call, ({ database, options }) => database.command({ ping: 1 }, options));
  /**
   * Reads the `localTime` of `hello`: the clock that `$$NOW` and `$currentDate` read, for less than
   * a query costs. In MongoDB `$$NOW` may be some milliseconds behind it.
   */
  readonly time: Method<"time"> = (call) =>
    this.#use(call, ({ database, options }) => this.#clock.read(database, options));
  readonly remove: Method<"remove"> = (keys, call) => this.#use(call, (sent) => sent.remove(removable(keys)));
  readonly acquire: Method<"acquire"> = (requests, call) =>
    this.#use(call, (sent) => acquire(sent, requests));
  readonly fill: Method<"fill"> = (records, call) => this.#use(call, (sent) => fill(sent, records));
  readonly release: Method<"release"> = (leases, call) => this.#use(call, (sent) => release(sent, leases));
  readonly extend: Method<"extend"> = (leases, call) => this.#use(call, (sent) => extend(sent, leases));
  readonly ensure: Method<"ensure"> = (tags, ttl, call) => this.#use(call, (sent) => ensure(sent, tags, ttl));
  readonly bump: Method<"bump"> = (tags, ttl, call) => this.#use(call, (sent) => bump(sent, tags, ttl));

  constructor(settings: Settings) {
    this.#client = new Client(settings);
    this.#label = settings.label;
    this.#overdue = patience * settings.sweepInterval;
    this.#bound = settings.maxSize === undefined ? undefined : new SizeBound(settings.maxSize);
  }

  async open(signal: AbortSignal): Promise<void> {
    const place = await this.#client.ready();
    await this.#clock.learn(place.database, { signal });
    await makeIndex(place, { signal });
    if (this.#bound !== undefined) await makeBoundIndex(place, this.#label, { signal });
    this.#client.heard();
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  async read(keys: readonly string[], call: Call): Promise<readonly (Uint8Array | undefined)[]> {
    const found = await this.#use(call, (sent) =>
      sent.find(alive(keys), { bytes: 1, generation: 1 }, keys.length),
    );
    const values = new Map(found.map((document) => [document._id, bytesOf(document)]));
    return keys.map((key) => values.get(key));
  }

  async write(records: readonly kit.StoredRecord[], call: Call): Promise<void> {
    const failures = new KeyFailures(records.length);
    const short = fitting(records, failures);
    if (short.length > 0) await this.#use(call, (sent) => this.#store(sent, short, failures));
    failures.throwIfAny();
  }

  /**
   * Begins each page after the last key of the page before, so nothing is open between two pages.
   */
  async *scan(pattern: kit.KeyPattern, page: kit.ScanPage): AsyncGenerator<readonly string[]> {
    for (let after: string | undefined; ; ) {
      const query = { limit: keysPerQuery, sort: { _id: 1 } };
      const keys = await page((call) =>
        this.#use(call, (sent) => sent.keys(pageAfter(pattern, after), query)),
      );
      for (let start = 0; start < keys.length; start += pageSize) yield keys.slice(start, start + pageSize);
      after = keys.at(-1);
      if (keys.length < keysPerQuery) return;
    }
  }

  info(call: Call): Promise<kit.StorageInfo> {
    return this.#use(call, async (sent) => {
      const { database, collection, options } = sent;
      const [build, stats] = await Promise.all([
        database.command({ buildInfo: 1 }, options),
        // A user may lack the right to read statistics.
        sent.stats().catch(() => undefined),
      ]);
      return {
        server: serverName(build),
        records: stats?.records,
        bytes: stats?.bytes,
        details: { database: collection.dbName, collection: collection.collectionName },
      };
    });
  }

  /** Removes expired documents, and then those beyond `maxSize`. */
  sweep(call: Call): Promise<boolean> {
    return this.#use(call, async (sent) => {
      await this.#clock.learn(sent.database, sent.options);
      if (await sweep(sent, this.#overdue)) return true;
      return (await this.#bound?.step(writtenDocuments(sent))) ?? false;
    });
  }

  /** Makes one call, and drops our own client if the server is silent up to the deadline. */
  async #use<T>(call: Call, act: (sent: CollectionCall) => Promise<T>): Promise<T> {
    const began = elapsed();
    const client = this.#client;
    const place = await client.ready().catch((error: unknown) => Promise.reject(call.unreachable(error)));
    // The caller has got its error, so nothing may be sent any more.
    if (call.isLate) return new Promise<never>(() => {});
    const { signal } = call;
    // Before the package mongodb hears of it, which would close the connection and leave it what it
    // has to send.
    signal.addEventListener("abort", () => client.dropIfSilent(place, began), { once: true });
    try {
      const answer = await act(new CollectionCall(place, this.#clock, { signal }));
      client.heard();
      return answer;
    } catch (error) {
      if (isServers(error)) client.heard();
      throw error;
    }
  }

  async #store(
    sent: CollectionCall,
    records: readonly kit.StoredRecord[],
    failures: KeyFailures,
  ): Promise<void> {
    this.#clock.refresh(sent.database, sent.options);
    const statements = records.map((record) => {
      const { ttl, freshFor } = lengthsOf(record);
      const cachemeSweepAt = sweepTime(sent.clock, ttl);
      const update = storing({ bytes: record.bytes, ttl, freshFor, cachemeSweepAt });
      return { updateOne: { filter: { _id: record.key }, update, upsert: true } };
    });
    try {
      await sent.upsert(statements, () => true);
    } catch (error) {
      const refused = writeErrorsOf(error);
      if (refused === undefined) throw error;
      for (const { index, code, errmsg } of refused) {
        failures.add(records[index]?.key ?? "", Object.assign(new Error(errmsg), { code }));
      }
    }
  }
}
