import { type Driver, keyPages, type StorageCall, sweepOf } from "cacheme/driver";
import { Client } from "./client.js";
import { bump, ensure, find } from "./generations.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import { bytesOf, remove, store, touch } from "./record.js";
import type { Session } from "./session.js";
import { type Place, sweep, writtenRows } from "./sweep.js";
import { adviceFor, isFull } from "./trouble.js";

/** Keys that one page of a scan looks at. */
const scanPage = 1000;

/** Up to here records are counted one by one, which takes some milliseconds at most. */
const countedRecords = 100_000;

/** Statements of SQLite. Each batch is one transaction, or several if it is long. */
export function sqliteDriver(settings: Settings): Driver {
  const client = new Client(settings);
  /** The machine's clock, as SQLite reads it for every expiry: processes on one file share it. */
  const time = (call: StorageCall): Promise<number> => client.use(call, (session) => session.now());
  return {
    takesRepeatedKeys: { read: true, write: true },
    errors: { advice: adviceFor, connectAdvice: adviceFor, isFull },
    open: async () => void (await client.open()),
    close: async () => client.close(),
    ping: time,
    time,

    read(keys, call) {
      const [first = ""] = keys;
      // One statement needs no transaction around it.
      if (keys.length === 1) {
        return client.use(call, ({ commands }) => [bytesOf(commands.readOne.value(first))]);
      }
      return client.batch(call, "reading", keys, ({ commands, now }, key) =>
        bytesOf(commands.read.value(key, now)),
      );
    },

    write: (records, call) => client.batch(call, "writing", records, store),

    async remove(keys, call) {
      const removed = await client.batch(call, "writing", keys, remove);
      return removed.filter(Boolean).length;
    },

    touch: (touches, call) => client.batch(call, "writing", touches, touch),

    scan: ({ prefix }, page) =>
      keyPages(prefix, page, async (from, call) => {
        const keys = await client.use(call, (session) => session.keysFrom(from, scanPage));
        const last = keys.at(-1);
        // The keys with the prefix are together.
        const isEnd = keys.length < scanPage || last?.startsWith(prefix) !== true;
        return { keys, last: isEnd ? undefined : last };
      }),

    info: (call) => client.use(call, infoOf),
    acquire: (requests, call) => client.batch(call, "writing", requests, acquire),
    fill: (records, call) => client.batch(call, "writing", records, fill),
    release: (leases, call) => client.batch(call, "writing", leases, release),
    extend: (leases, call) => client.batch(call, "writing", leases, extend),

    async ensure(tags, ttl, call) {
      // Most generations are there, and reading them needs no lock.
      const found = await client.batch(call, "reading", tags, (slice, tag) => find(slice, tag, ttl));
      const missing = tags.filter((_, index) => found[index] === undefined);
      if (missing.length === 0) return found;
      const made = await client.batch(call, "writing", missing, (slice, tag) => ensure(slice, tag, ttl));
      let next = 0;
      return found.map((generation) => generation ?? made[next++]);
    },

    async bump(tags, ttl, call) {
      try {
        return await client.batch(call, "writing", tags, (slice, tag) => bump(slice, tag, ttl));
      } catch (error) {
        // The removal that follows on a full disk is written to the log first, which needs room.
        if (isFull(error)) await client.use(call, (session) => session.reuseLog()).catch(() => {});
        throw error;
      }
    },

    sweep: sweepOf<Place>(
      settings.maxSize,
      (call) => client.use(call, sweep),
      (call) => writtenRows(client, call),
    ),
  };
}

function infoOf(session: Session) {
  const { commands, database } = session;
  const records = session.number("count", countedRecords + 1);
  return {
    server: `SQLite ${commands.version.value()} (${database.driver})`,
    records: records > countedRecords ? undefined : records,
    bytes: session.number("pages") * session.number("pageSize"),
    details: { journal: String(commands.journal.value()), freePages: session.number("freePages") },
  };
}
