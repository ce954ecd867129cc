import { type AnswerRows, type Driver, RecordTooLarge, type StorageCall, tableDriver } from "cacheme/driver";
import { roomOf } from "./batch.js";
import { Client } from "./client.js";
import { type Place, pageRows, sweptRows } from "./commands.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import { idSize, kept, longKeys, recordRoom, recordSize, rowSize } from "./record.js";
import { serverErrors } from "./server-errors.js";
import type { Session } from "./session.js";
import { tableFacts, time } from "./table.js";

/**
 * A table with a row for each key. Batches are cut into statements that fit into the server's
 * packets. A lease is part of the row of its key, and only its token counts: an answer has the
 * lease if it has the token.
 */
export function mysqlDriver(settings: Settings): Driver {
  const { table, maxSize } = settings;
  const client = new Client(settings);
  const { commands } = client;
  const use = <T>(call: StorageCall, act: (session: Session) => Promise<T>): Promise<T> =>
    client.use(call, act);
  return tableDriver<Place>({
    ...serverErrors,
    longKeys,
    maxSize,
    open: (signal) => client.open(signal),
    close: () => client.close(),
    ping: (call) => use(call, (session) => session.rows({ sql: "SELECT 1" })),
    time: (call) => use(call, async (session) => Number((await session.rows(time))[0]?.[0])),

    info: (call) =>
      use(call, async (session) => {
        const [row] = await session.rows(tableFacts(table));
        const { product, version, packet } = session.server;
        return {
          server: `${product} ${version}`,
          records: countOf(row?.[0]),
          bytes: countOf(row?.[1]),
          details: { table, maxAllowedPacket: packet },
        };
      }),

    read: (keys, call) =>
      use(call, async (session) => {
        const rows = await session.batch(keys, idSize, (_, part) => session.rows(commands.read(part)));
        return rows.map(([key, bytes]) => [key, kept(bytes)]);
      }),

    refusalOf(record) {
      const { packet } = client.server ?? {};
      if (packet === undefined || recordRoom(record) <= roomOf(packet)) return undefined;
      const { byteLength } = record.bytes;
      return new RecordTooLarge(
        `${byteLength} bytes are too large for the server, whose max_allowed_packet is ${packet} bytes`,
      );
    },

    write: (records, call) =>
      use(call, (session) =>
        session.batch(records, recordSize, async (rows) => [await session.change(commands.write(rows))]),
      ),

    remove: (keys, call) =>
      use(call, async (session) => {
        const counts = await session.batch(keys, idSize, async (_, part) => [
          await session.change(commands.remove(part)),
        ]);
        return counts.reduce((total, count) => total + count, 0);
      }),

    touch: (rows, call) =>
      use(call, (session) =>
        session.batch(rows, rowSize, (padded, part) =>
          session.changed(part, commands.touch(padded), () => commands.there(padded)),
        ),
      ),

    page: ({ from, end }, call) =>
      use(call, async (session) => {
        const rows = await session.rows(commands.page(from, end));
        const found = rows.filter(([, , isThere]) => Number(isThere) === 1);
        return {
          keys: found.map(([id, longKey]) => String(longKey ?? id)),
          last: rows.length < pageRows ? undefined : String(rows.at(-1)?.[0]),
        };
      }),

    acquire: (rows, call) => use(call, (session) => acquire(session, rows)),
    fill: (rows, call) => use(call, (session) => fill(session, rows)),
    release: (rows, call) => use(call, (session) => release(session, rows)),
    extend: (rows, call) => use(call, (session) => extend(session, rows)),
    ensure: (tags, ttl, call) =>
      use(call, (session) =>
        session.batch(tags, rowSize, (rows) => session.insert(commands.ensure(rows, ttl))),
      ),
    bump: (tags, ttl, call) =>
      use(call, (session) =>
        session.batch(tags, rowSize, (rows) => session.insert(commands.bump(rows, ttl))),
      ),

    // Looks first, and locks only what it removes: a locked range of the index would hold up every
    // write.
    expire: (call) =>
      use(call, async (session) => {
        const ids = sortedIds(await session.rows(commands.expired()));
        if (ids.length > 0) await session.change(commands.sweep(ids));
        return ids.length === sweptRows;
      }),

    written: (call) => ({
      find: (olderThan, skipped) =>
        use(call, async (session) => {
          const [row] = await session.rows(commands.findWritten(skipped, olderThan));
          return row && { time: Number(row[0]), id: row[1] as Buffer };
        }),
      removeUpTo: (place) =>
        use(call, async (session) => {
          const ids = sortedIds(await session.rows(commands.oldest(place)));
          if (ids.length > 0) await session.change(commands.removeWritten(ids, place));
          return ids.length === sweptRows;
        }),
    }),
  });
}

function sortedIds(rows: AnswerRows): readonly Buffer[] {
  return rows.flatMap(([id]) => (Buffer.isBuffer(id) ? [id] : [])).sort(Buffer.compare);
}

function countOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
