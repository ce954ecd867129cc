import {
  type Driver,
  LongKeys,
  type NewGeneration,
  type StorageCall,
  type TableRow,
  tableDriver,
} from "cacheme/driver";
import { booleanArray, byteaArray, numberArray, textArray } from "./binary-array.js";
import { PostgresClient, type Row } from "./client.js";
import { durations, keys, tokens, values, wholeKeys } from "./columns.js";
import { rowsAtOnce, type Statement, statements } from "./commands.js";
import type { Settings } from "./options.js";
import { serverErrors } from "./server-errors.js";

/** PostgreSQL refuses an index entry of more than about 2,700 bytes. */
const longest = 1800;

/**
 * One table of a PostgreSQL database. Each batch is one statement. Leases are columns of the
 * record's own row, so every write and every removal of the row ends them.
 */
export function postgresDriver(settings: Settings): Driver {
  const sql = statements(settings.table, settings.prepare);
  const client = new PostgresClient(settings);
  const generations = (
    statement: Statement,
    rows: readonly TableRow<NewGeneration>[],
    ttl: number | undefined,
    call: StorageCall,
  ): Promise<readonly Row[]> => {
    const ids = textArray(rows.map(({ item }) => item.id));
    return client.ask(call, statement, [...wholeKeys(rows), ids, ttl ?? null]);
  };
  return tableDriver<number>({
    ...serverErrors,
    maxSize: settings.maxSize,
    longKeys: new LongKeys({ longest, kept: 200 }),
    open: (signal) => client.open(signal),
    close: () => client.close(),
    ping: (call) => client.ask(call, sql.ping),
    // The time of the statement on the server, from which every expiry is counted.
    time: (call) => client.number(call, sql.time),

    async info(call) {
      const [row] = await client.ask(call, sql.info);
      const [version, records, bytes, unlogged, product] = row ?? [];
      // The server says -1 until the table is analyzed for the first time.
      const counted = Number(records ?? -1);
      return {
        server: serverName(String(version ?? "of an unknown version"), String(product)),
        records: counted < 0 ? undefined : counted,
        bytes: Number(bytes ?? 0),
        details: { table: settings.tableName, unlogged: unlogged === "t" },
      };
    },

    read: (asked, call) => client.ask(call, sql.read, [textArray(asked)]),
    write: (rows, call) => client.ask(call, sql.write, [...wholeKeys(rows), ...values(rows)]),
    touch: (rows, call) =>
      client.ask(call, sql.touch, [keys(rows), numberArray(rows.map(({ item }) => item.ttl))]),
    remove: (asked, call) => client.number(call, sql.remove, [textArray(asked)]),

    async page({ from, end, pattern }, call) {
      const rows = await client.ask(call, sql.scan, [from, end, pattern.like()]);
      // The last row has the last key that the server looked at, or no key at the end of the range.
      const last = rows.at(-1)?.[1];
      return {
        keys: rows.flatMap(([key]) => (typeof key === "string" ? [key] : [])),
        last: typeof last === "string" ? last : undefined,
      };
    },

    acquire: (rows, call) =>
      client.ask(call, sql.acquire, [
        ...wholeKeys(rows),
        tokens(rows),
        durations(rows),
        booleanArray(rows.map(({ item }) => item.steal)),
        byteaArray(rows.map(({ item }) => item.seen)),
      ]),
    fill: (rows, call) => client.ask(call, sql.fill, [keys(rows), tokens(rows), ...values(rows)]),
    release: (rows, call) => client.ask(call, sql.release, [keys(rows), tokens(rows)]),
    extend: (rows, call) => client.ask(call, sql.extend, [keys(rows), tokens(rows), durations(rows)]),
    ensure: (rows, ttl, call) => generations(sql.ensure, rows, ttl, call),
    bump: (rows, ttl, call) => generations(sql.bump, rows, ttl, call),

    expire: async (call) => (await client.number(call, sql.sweep)) === rowsAtOnce,
    written: (call) => ({
      async find(olderThan, skipped) {
        const [row] = await client.ask(call, sql.findWritten, [olderThan ?? null, skipped]);
        return row && Number(row[0]);
      },
      removeUpTo: async (place) => (await client.number(call, sql.removeWritten, [place])) === rowsAtOnce,
    }),
  });
}

/** Another product has its own name in `version()`, such as `CockroachDB CCL v23.1.11 (…)`. */
function serverName(version: string, said: string): string {
  return said.startsWith("PostgreSQL") ? `PostgreSQL ${version}` : (said.split(" (", 1)[0] ?? said);
}
