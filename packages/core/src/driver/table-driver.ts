import { types } from "node:util";
import { type Generation, generationFrom } from "../storage/generations.js";
import type { KeyPattern } from "../storage/key-pattern.js";
import type { HeldLease, LeasedRecord, LeaseExtension } from "../storage/leases.js";
import type { StoredRecord, StoredTouch } from "../storage/remote-storage.js";
import type { Acquisition, Driver, NewGeneration } from "./driver.js";
import { type KeyPage, keyPages } from "./key-pages.js";
import { refusedLease } from "./lease-answer.js";
import type { LongKeys, TableRow } from "./long-keys.js";
import { sweepOf, type WrittenRows } from "./size-bound.js";
import type { StorageCall } from "./storage-calls.js";

/** Rows of an answer, each a list of columns. The first column is the indexed key. */
export type AnswerRows = readonly (readonly unknown[])[];

/** The keys that a page of a scan may have. */
export interface KeyRange {
  /** The first indexed key of the page. */
  readonly from: string;
  /** The indexed key before which the scan ends. */
  readonly end: string;
  readonly pattern: KeyPattern;
}

/**
 * The statements of one table of an SQL server, for {@link tableDriver}. A lease is a part of its
 * key's row. Batches of rows are in the order in which all batches lock them.
 */
export interface Table<Place>
  extends Pick<Driver, "open" | "close" | "ping" | "time" | "info" | "errors" | "trial" | "refusalOf"> {
  readonly longKeys: LongKeys;
  readonly maxSize: number | undefined;
  /** Answers rows of a key and its bytes. */
  read(keys: readonly string[], call: StorageCall): Promise<AnswerRows>;
  write(rows: readonly TableRow<StoredRecord>[], call: StorageCall): Promise<unknown>;
  remove(keys: readonly string[], call: StorageCall): Promise<number>;
  /** Answers the rows with bytes that have not expired. */
  touch(rows: readonly TableRow<StoredTouch>[], call: StorageCall): Promise<AnswerRows>;
  page(range: KeyRange, call: StorageCall): Promise<KeyPage>;
  /**
   * Answers rows of a key, the time of the grant if the lease was granted, and fresh bytes if they
   * are in its way. A request that steals is always granted, and a grant counts before bytes.
   */
  acquire(rows: readonly TableRow<Acquisition>[], call: StorageCall): Promise<AnswerRows>;
  /** Answers the rows whose lease had the token. So do the next two methods. */
  fill(rows: readonly TableRow<LeasedRecord>[], call: StorageCall): Promise<AnswerRows>;
  release(rows: readonly TableRow<HeldLease>[], call: StorageCall): Promise<AnswerRows>;
  extend(rows: readonly TableRow<LeaseExtension>[], call: StorageCall): Promise<AnswerRows>;
  /** Answers rows of a key and its generation's bytes. So does `bump`. */
  ensure(
    rows: readonly TableRow<NewGeneration>[],
    ttl: number | undefined,
    call: StorageCall,
  ): Promise<AnswerRows>;
  bump(
    rows: readonly TableRow<NewGeneration>[],
    ttl: number | undefined,
    call: StorageCall,
  ): Promise<AnswerRows>;
  /** Removes some expired rows, and returns whether there may be more. */
  expire(call: StorageCall): Promise<boolean>;
  written(call: StorageCall): WrittenRows<Place>;
}

/**
 * Makes a driver of the statements of a table. It shortens long keys, orders the rows of a batch,
 * and puts the answers into the order of the batch. For authors of storages.
 */
export function tableDriver<Place>(table: Table<Place>): Driver {
  const { longKeys } = table;
  const changed = (items: readonly { readonly key: string }[], rows: AnswerRows): readonly boolean[] => {
    const keys = new Set(rows.map(([key]) => String(key)));
    return items.map(({ key }) => keys.has(longKeys.indexed(key)));
  };
  const generations = (tags: readonly NewGeneration[], rows: AnswerRows): (Generation | undefined)[] => {
    const found = bytesByKey(rows);
    return tags.map(({ key }) => generationFrom(found.get(longKeys.indexed(key))));
  };
  return {
    ...table,
    takesRepeatedKeys: { read: true },
    async read(keys, call) {
      const indexed = keys.map((key) => longKeys.indexed(key));
      const found = bytesByKey(await table.read(indexed, call));
      return indexed.map((key) => found.get(key));
    },
    write: (records, call) => table.write(longKeys.inLockOrder(records), call),
    remove: (keys, call) => table.remove(keys.map((key) => longKeys.indexed(key)).sort(), call),
    touch: async (touches, call) => changed(touches, await table.touch(longKeys.inLockOrder(touches), call)),
    scan(pattern, page) {
      const end = longKeys.behind(pattern.prefix);
      return keyPages(longKeys.beginning(pattern.prefix), page, (from, call) =>
        table.page({ from, end, pattern }, call),
      );
    },
    async acquire(requests, call) {
      const rows = await table.acquire(longKeys.inLockOrder(requests), call);
      const granted = new Map<string, number>();
      const fresh = new Map<string, Uint8Array>();
      for (const [key, at, bytes] of rows) {
        if (at !== null && at !== undefined) granted.set(String(key), Number(at));
        else if (types.isUint8Array(bytes)) fresh.set(String(key), bytes);
      }
      return requests.map((request) => {
        const key = longKeys.indexed(request.key);
        const at = granted.get(key);
        if (at === undefined && !request.steal) return refusedLease(request, fresh.get(key));
        return { outcome: "granted", token: request.token, at };
      });
    },
    fill: async (records, call) => changed(records, await table.fill(longKeys.inLockOrder(records), call)),
    release: async (leases, call) => changed(leases, await table.release(longKeys.inLockOrder(leases), call)),
    extend: async (leases, call) => changed(leases, await table.extend(longKeys.inLockOrder(leases), call)),
    ensure: async (tags, ttl, call) =>
      generations(tags, await table.ensure(longKeys.inLockOrder(tags), ttl, call)),
    bump: async (tags, ttl, call) =>
      generations(tags, await table.bump(longKeys.inLockOrder(tags), ttl, call)),
    sweep: sweepOf(
      table.maxSize,
      (call) => table.expire(call),
      (call) => table.written(call),
    ),
  };
}

function bytesByKey(rows: AnswerRows): Map<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  for (const [key, bytes] of rows) if (types.isUint8Array(bytes)) found.set(String(key), bytes);
  return found;
}
