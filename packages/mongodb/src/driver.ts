import { type Driver, KeyFailures, RecordTooLarge, type StorageCall, sweepOf } from "cacheme/driver";
import { Client } from "./client.js";
import type { CollectionCall } from "./collection-call.js";
import { alive, page as pageAfter, removable, storing } from "./commands.js";
import { bump, ensure } from "./generations.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import { bytesOf, longestValue } from "./record.js";
import { sweep, writtenDocuments } from "./sweep.js";
import { touch } from "./touches.js";
import { errors, serverName, trial, writeErrorsOf } from "./trouble.js";

/** Keys in one page of a scan, and in one query: each query costs the server a new search. */
const pageSize = 1000;
const keysPerQuery = 5 * pageSize;

/** Sweep intervals after which the sweep removes what the server has left. */
const patience = 3;

/** One document for each key, in one collection. */
export function mongodbDriver(settings: Settings): Driver {
  const client = new Client(settings);
  const { clock } = client;
  const overdue = patience * settings.sweepInterval;
  const sweepStep = sweepOf(settings.maxSize, (sent) => sweep(sent, overdue), writtenDocuments);
  const use = <T>(call: StorageCall, act: (sent: CollectionCall) => Promise<T>): Promise<T> =>
    client.use(call, act);
  return {
    takesRepeatedKeys: { read: true },
    errors,
    trial,
    open: (signal) => client.open(signal),
    close: () => client.close(),
    ping: (call) => use(call, ({ database, options }) => database.command({ ping: 1 }, options)),
    // The clock that `$$NOW` and `$currentDate` read, for less than a query costs. In MongoDB
    // `$$NOW` may be some milliseconds behind it.
    time: (call) => use(call, ({ database, options }) => clock.read(database, options)),

    info: (call) =>
      use(call, async (sent) => {
        const { database, collection, options } = sent;
        const [build, stats] = await Promise.all([
          database.command({ buildInfo: 1 }, options),
          // A user may lack the right to read statistics.
          sent.stats().catch(() => undefined),
        ]);
        const details = { database: collection.dbName, collection: collection.collectionName };
        return { server: serverName(build), ...stats, details };
      }),

    read: (keys, call) =>
      use(call, async (sent) => {
        const found = await sent.find(alive(keys), { bytes: 1, generation: 1 }, keys.length);
        const values = new Map(found.map((document) => [document._id, bytesOf(document)]));
        return keys.map((key) => values.get(key));
      }),

    refusalOf({ bytes: { byteLength } }) {
      if (byteLength <= longestValue) return undefined;
      return new RecordTooLarge(
        `its value has ${byteLength} bytes, and a document of MongoDB takes ${longestValue}`,
      );
    },

    async write(records, call) {
      const failures = new KeyFailures(records.length);
      await use(call, async (sent) => {
        clock.refresh(sent.database, sent.options);
        const statements = records.map((record) => {
          const update = storing(clock, record);
          return { updateOne: { filter: { _id: record.key }, update, upsert: true } };
        });
        await sent
          .upsert(statements, () => true)
          .catch((error: unknown) => {
            const refused = writeErrorsOf(error);
            if (refused === undefined) throw error;
            for (const { index, code, errmsg } of refused) {
              failures.add(records[index]?.key ?? "", Object.assign(new Error(errmsg), { code }));
            }
          });
      });
      failures.throwIfAny();
    },

    remove: (keys, call) => use(call, (sent) => sent.remove(removable(keys))),

    touch: (touches, call) => use(call, (sent) => touch(sent, touches)),

    // Begins each page after the last key of the page before, so nothing is open between two pages.
    async *scan(pattern, page) {
      for (let after: string | undefined; ; ) {
        const query = { limit: keysPerQuery, sort: { _id: 1 } };
        const keys = await page((call) => use(call, (sent) => sent.keys(pageAfter(pattern, after), query)));
        for (let start = 0; start < keys.length; start += pageSize) yield keys.slice(start, start + pageSize);
        after = keys.at(-1);
        if (keys.length < keysPerQuery) return;
      }
    },

    acquire: (requests, call) => use(call, (sent) => acquire(sent, requests)),
    fill: (records, call) => use(call, (sent) => fill(sent, records)),
    release: (leases, call) => use(call, (sent) => release(sent, leases)),
    extend: (leases, call) => use(call, (sent) => extend(sent, leases)),
    ensure: (tags, ttl, call) => use(call, (sent) => ensure(sent, tags, ttl)),
    bump: (tags, ttl, call) => use(call, (sent) => bump(sent, tags, ttl)),

    sweep: (call) =>
      use(call, async (sent) => {
        await clock.learn(sent.database, sent.options);
        return sweepStep(sent);
      }),
  };
}
