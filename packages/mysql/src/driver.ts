import {
  type Acquisition,
  type Driver,
  type DriverErrors,
  type DriverTrial,
  generationFrom,
  type HeldLease,
  KeyFailures,
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
  type WrittenRows,
} from "cacheme/driver";
import { padded } from "./batch.js";
import { Client } from "./client.js";
import { Commands, nameParameters, tableFacts } from "./commands.js";
import { acquire, extend, fill, release } from "./leases.js";
import type { Settings } from "./options.js";
import {
  bytesOf,
  idAfter,
  idSize,
  idsBetween,
  idsOf,
  inLockOrder,
  kept,
  lifetime,
  parametersOf,
  recordSize,
  rowOf,
  times,
} from "./record.js";
import { serverOf } from "./server.js";
import { serverErrors, trial } from "./server-errors.js";
import { type Answer, type Parameter, Session } from "./session.js";

/** Rows that a page of a scan looks at. */
const pageRows = 1000;

/** Records that one statement of the sweep removes. */
const sweptRows = 500;

/**
 * A table with a row for each key. Batches are cut into statements that fit into the server's
 * packets. A lease is part of the row of its key, and only its token counts: an answer has the
 * lease if it has the token.
 */
export class MysqlDriver implements Driver {
  readonly takesRepeatedKeys = { read: true } as const;
  readonly errors: DriverErrors = serverErrors;
  readonly trial: DriverTrial = trial;
  readonly #settings: Settings;
  readonly #client: Client;
  readonly #commands: Commands;
  readonly #bound: SizeBound<Place> | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
    this.#client = new Client(settings);
    this.#commands = new Commands(settings.table);
    this.#bound = settings.maxSize === undefined ? undefined : new SizeBound(settings.maxSize);
  }

  async open(signal: AbortSignal): Promise<void> {
    const session = new Session(this.#client, this.#commands);
    signal.addEventListener("abort", () => session.giveUp(), { once: true });
    this.#client.server = await session.use((open) => serverOf(open, this.#settings));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  ping(call: StorageCall): Promise<unknown> {
    return this.#use(call, (session) => session.rows("SELECT 1"));
  }

  /** The server's UTC_TIMESTAMP, from which every expiry is counted. */
  time(call: StorageCall): Promise<number> {
    return this.#use(call, async (session) => Number((await session.rows(this.#commands.time))[0]?.[0]));
  }

  read(keys: readonly string[], call: StorageCall): Promise<(Uint8Array | undefined)[]> {
    return this.#use(call, async (session) => {
      const wanted = keys.map((key) => rowOf(key, undefined));
      const found = new Map<string, Buffer>();
      for (const part of session.split(wanted, idSize)) {
        const ids = idsOf(part);
        for (const [id, bytes] of await session.rows(this.#commands.read(ids.length), ids)) {
          if (Buffer.isBuffer(id) && Buffer.isBuffer(bytes)) found.set(id.toString(), kept(bytes));
        }
      }
      return wanted.map(({ indexed }) => found.get(indexed));
    });
  }

  write(records: readonly StoredRecord[], call: StorageCall): Promise<void> {
    return this.#use(call, async (session) => {
      const failures = new KeyFailures(records.length);
      for (const part of session.split(session.fitting(records, failures), recordSize)) {
        const rows = padded(part, recordSize);
        const has = {
          longKeys: rows.some(({ longKey }) => longKey !== null),
          freshness: rows.some(({ item }) => item.freshFor !== undefined),
        };
        const parameters: Parameter[] = [];
        for (const { id, longKey, item } of rows) {
          const [keptFor, freshFor] = times(item);
          parameters.push(id, bytesOf(item), keptFor);
          if (has.longKeys) parameters.push(longKey);
          if (has.freshness) parameters.push(freshFor);
        }
        await session.change(this.#commands.write(rows.length, has), parameters);
      }
      failures.throwIfAny();
    });
  }

  remove(keys: readonly string[], call: StorageCall): Promise<number> {
    return this.#use(call, async (session) => {
      let count = 0;
      for (const part of session.split(inLockOrder(keys.map((key) => ({ key }))), idSize)) {
        const ids = idsOf(part);
        count += await session.change(this.#commands.remove(ids.length), ids);
      }
      return count;
    });
  }

  /** Scans in the order of the ids. Each page looks at so many rows, whatever matches. */
  async *scan({ prefix }: KeyPattern, page: ScanPage): AsyncGenerator<readonly string[]> {
    const [first, end] = idsBetween(prefix);
    for (let from = first; ; ) {
      const parameters = [from, end];
      const rows = await page((call) =>
        this.#use(call, (session) => session.rows(this.#commands.page(pageRows), parameters)),
      );
      yield rows.flatMap(([id, longKey, isThere]) => (Number(isThere) === 1 ? [String(longKey ?? id)] : []));
      const last = rows.at(-1)?.[0];
      if (rows.length < pageRows || !Buffer.isBuffer(last)) return;
      from = idAfter(last);
    }
  }

  info(call: StorageCall): Promise<StorageInfo> {
    return this.#use(call, async (session) => {
      const [row] = await session.rows(tableFacts, nameParameters(this.#settings.table));
      const { product, version, packet } = session.server;
      return {
        server: `${product} ${version}`,
        records: countOf(row?.[0]),
        bytes: countOf(row?.[1]),
        details: { table: this.#settings.table, maxAllowedPacket: packet },
      };
    });
  }

  acquire(requests: readonly Acquisition[], call: StorageCall): Promise<readonly LeaseAnswer[]> {
    return this.#use(call, (session) => acquire(session, requests));
  }

  fill(records: readonly LeasedRecord[], call: StorageCall): Promise<readonly boolean[]> {
    return this.#use(call, (session) => fill(session, records));
  }

  release(leases: readonly HeldLease[], call: StorageCall): Promise<readonly boolean[]> {
    return this.#use(call, (session) => release(session, leases));
  }

  extend(leases: readonly LeaseExtension[], call: StorageCall): Promise<readonly boolean[]> {
    return this.#use(call, (session) => extend(session, leases));
  }

  ensure(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    return this.#generations(call, tags, ttl, (rows) => this.#commands.ensure(rows));
  }

  bump(tags: readonly NewGeneration[], ttl: number | undefined, call: StorageCall): Promise<Made> {
    return this.#generations(call, tags, ttl, (rows) => this.#commands.bump(rows));
  }

  /**
   * Looks first, and locks only what it removes: a locked range of the index would hold up every
   * write.
   */
  sweep(call: StorageCall): Promise<boolean> {
    return this.#use(call, async (session) => {
      const expired = await session.rows(this.#commands.expired(sweptRows));
      const ids = sortedIds(expired);
      if (ids.length > 0) await session.change(this.#commands.sweep(ids.length), ids);
      if (ids.length === sweptRows) return true;
      return (await this.#bound?.step(this.#writtenRows(session))) ?? false;
    });
  }

  #writtenRows(session: Session): WrittenRows<Place> {
    return {
      find: async (olderThan, skipped) => {
        const sql = this.#commands.findWritten(skipped, olderThan !== undefined);
        const [row] = await session.rows(sql, olderThan && parametersOfPlace(olderThan));
        return row && { time: Number(row[0]), id: row[1] as Buffer };
      },
      removeUpTo: async (place) => {
        const parameters = parametersOfPlace(place);
        const ids = sortedIds(await session.rows(this.#commands.oldest(sweptRows), parameters));
        if (ids.length === 0) return false;
        await session.change(this.#commands.removeWritten(ids.length), [...ids, ...parameters]);
        return ids.length === sweptRows;
      },
    };
  }

  /** Generations are ordinary records whose bytes the server writes, with its own time in them. */
  #generations(
    call: StorageCall,
    tags: readonly NewGeneration[],
    ttl: number | undefined,
    statement: (rows: number) => string,
  ): Promise<Made> {
    return this.#use(call, async (session) => {
      const found = new Map<string, Buffer>();
      for (const part of session.split(inLockOrder(tags), idSize)) {
        const rows = padded(part, idSize);
        const left = await session.insert({
          sql: statement(rows.length),
          parameters: parametersOf(rows, ({ id, longKey, item }) => [id, longKey, item.id, lifetime(ttl)]),
          columns: this.#commands.generationColumns,
          ofColumns: [],
          ids: idsOf(rows),
        });
        for (const [id, bytes] of left) if (Buffer.isBuffer(bytes)) found.set(String(id), bytes);
      }
      return tags.map(({ key }) => generationFrom(found.get(rowOf(key, undefined).indexed)));
    });
  }

  #use<T>(call: StorageCall, act: (session: Session) => Promise<T>): Promise<T> {
    return new Session(this.#client, this.#commands, call).use(act);
  }
}

/** A row in the order of writing: rows of one statement have one time. */
interface Place {
  readonly time: number;
  readonly id: Buffer;
}

function parametersOfPlace({ time, id }: Place): readonly Parameter[] {
  return [time, time, id];
}

function sortedIds(rows: readonly Answer[]): readonly Buffer[] {
  return rows.flatMap(([id]) => (Buffer.isBuffer(id) ? [id] : [])).sort(Buffer.compare);
}

function countOf(value: unknown): number | undefined {
  return value === null || value === undefined ? undefined : Number(value);
}
