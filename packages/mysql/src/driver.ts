import {
  type AnswerRows,
  type Driver,
  type NewGeneration,
  RecordTooLarge,
  type StorageCall,
  type TableRow,
  tableDriver,
} from "cacheme/driver";
import { roomOf } from "./batch.js";
import { Client } from "./client.js";
import { nameParameters, tableFacts } from "./commands.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import {
  idOf,
  idSize,
  kept,
  lifetime,
  longKeys,
  parametersOf,
  recordRoom,
  recordSize,
  rowSize,
  valueColumns,
  wholeKey,
} from "./record.js";
import { serverErrors } from "./server-errors.js";
import type { Parameter, Session } from "./session.js";

/** Rows that a page of a scan looks at. */
const pageRows = 1000;

/** Records that one statement of the sweep removes. */
const sweptRows = 500;

/** A row in the order of writing: rows of one statement have one time. */
interface Place {
  readonly time: number;
  readonly id: Buffer;
}

/**
 * A table with a row for each key. Batches are cut into statements that fit into the server's
 * packets. A lease is part of the row of its key, and only its token counts: an answer has the
 * lease if it has the token.
 */
export function mysqlDriver(settings: Settings): Driver {
  const client = new Client(settings);
  const { commands } = client;
  const use = <T>(call: StorageCall, act: (session: Session) => Promise<T>): Promise<T> =>
    client.use(call, act);
  return tableDriver<Place>({
    ...serverErrors,
    longKeys,
    maxSize: settings.maxSize,
    open: (signal) => client.open(signal),
    close: () => client.close(),
    ping: (call) => use(call, (session) => session.rows("SELECT 1")),
    // The server's UTC_TIMESTAMP, from which every expiry is counted.
    time: (call) => use(call, async (session) => Number((await session.rows(commands.time))[0]?.[0])),

    info: (call) =>
      use(call, async (session) => {
        const [row] = await session.rows(tableFacts, nameParameters(settings.table));
        const { product, version, packet } = session.server;
        return {
          server: `${product} ${version}`,
          records: countOf(row?.[0]),
          bytes: countOf(row?.[1]),
          details: { table: settings.table, maxAllowedPacket: packet },
        };
      }),

    async read(keys, call) {
      const rows = await use(call, (session) =>
        session.batch(keys, idSize, (_, part) =>
          session.rows(
            commands.read(part.length),
            part.map((key) => Buffer.from(key)),
          ),
        ),
      );
      return rows.map(([key, bytes]) => [key, kept(bytes)]);
    },

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
        session.batch(records, recordSize, async (rows) => {
          const has = {
            longKeys: rows.some(({ longKey }) => longKey !== undefined),
            freshness: rows.some(({ item }) => item.freshFor !== undefined),
          };
          const parameters: Parameter[] = [];
          for (const row of rows) {
            const [id, longKey] = wholeKey(row);
            const [bytes, keptFor, freshFor] = valueColumns(row);
            parameters.push(id, bytes, keptFor);
            if (has.longKeys) parameters.push(longKey);
            if (has.freshness) parameters.push(freshFor);
          }
          await session.change(commands.write(rows.length, has), parameters);
          return [];
        }),
      ),

    async remove(keys, call) {
      const counts = await use(call, (session) =>
        session.batch(keys, idSize, async (_, part) => [
          await session.change(
            commands.remove(part.length),
            part.map((key) => Buffer.from(key)),
          ),
        ]),
      );
      return counts.reduce((total, count) => total + count, 0);
    },

    page: ({ from, end }, call) =>
      use(call, async (session) => {
        const rows = await session.rows(commands.page(pageRows), [Buffer.from(from), Buffer.from(end)]);
        return {
          keys: rows.flatMap(([id, longKey, isThere]) =>
            Number(isThere) === 1 ? [String(longKey ?? id)] : [],
          ),
          last: rows.length < pageRows ? undefined : String(rows.at(-1)?.[0]),
        };
      }),

    acquire: (rows, call) => use(call, (session) => acquire(session, rows)),
    fill: (rows, call) => use(call, (session) => fill(session, rows)),
    release: (rows, call) => use(call, (session) => release(session, rows)),
    extend: (rows, call) => use(call, (session) => extend(session, rows)),
    ensure: (tags, ttl, call) =>
      use(call, (session) => generations(session, tags, ttl, (rows) => commands.ensure(rows))),
    bump: (tags, ttl, call) =>
      use(call, (session) => generations(session, tags, ttl, (rows) => commands.bump(rows))),

    // Looks first, and locks only what it removes: a locked range of the index would hold up every
    // write.
    expire: (call) =>
      use(call, async (session) => {
        const ids = sortedIds(await session.rows(commands.expired(sweptRows)));
        if (ids.length > 0) await session.change(commands.sweep(ids.length), ids);
        return ids.length === sweptRows;
      }),

    written: (call) => ({
      find: (olderThan, skipped) =>
        use(call, async (session) => {
          const sql = commands.findWritten(skipped, olderThan !== undefined);
          const [row] = await session.rows(sql, olderThan && parametersOfPlace(olderThan));
          return row && { time: Number(row[0]), id: row[1] as Buffer };
        }),
      removeUpTo: (place) =>
        use(call, async (session) => {
          const parameters = parametersOfPlace(place);
          const ids = sortedIds(await session.rows(commands.oldest(sweptRows), parameters));
          if (ids.length > 0)
            await session.change(commands.removeWritten(ids.length), [...ids, ...parameters]);
          return ids.length === sweptRows;
        }),
    }),
  });
}

/** Generations are ordinary records whose bytes the server writes, with its own time in them. */
function generations(
  session: Session,
  tags: readonly TableRow<NewGeneration>[],
  ttl: number | undefined,
  statement: (rows: number) => string,
): Promise<AnswerRows> {
  return session.batch(tags, rowSize, (rows) =>
    session.insert({
      sql: statement(rows.length),
      parameters: parametersOf(rows, (row) => [...wholeKey(row), row.item.id, lifetime(ttl)]),
      columns: session.commands.generationColumns,
      ofColumns: [],
      ids: rows.map(idOf),
    }),
  );
}

function parametersOfPlace({ time, id }: Place): readonly Parameter[] {
  return [time, time, id];
}

function sortedIds(rows: AnswerRows): readonly Buffer[] {
  return rows.flatMap(([id]) => (Buffer.isBuffer(id) ? [id] : [])).sort(Buffer.compare);
}

function countOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
