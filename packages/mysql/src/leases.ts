import { randomBytes } from "node:crypto";
import {
  type Acquisition,
  type HeldLease,
  KeyFailures,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseExtension,
} from "cacheme/driver";
import { padded } from "./batch.js";
import {
  bytesOf,
  idSize,
  idsOf,
  inLockOrder,
  kept,
  parametersOf,
  type Row,
  recordSize,
  times,
} from "./record.js";
import type { Answer, Parameter, Session } from "./session.js";

/*
 * A lease is part of the row of its key. Only the token counts: a call has the lease if it finds
 * its own token there. A number of changed rows is only taken for what it can mean in one way.
 */

/** Takes the lease of each key if it can be had. */
export async function acquire(
  session: Session,
  requests: readonly Acquisition[],
): Promise<readonly LeaseAnswer[]> {
  const { commands } = session;
  const answers = new Map<string, LeaseAnswer>();
  const has = { seen: requests.some(({ seen }) => seen !== undefined) };
  const size = (row: Row<Acquisition>): number => idSize(row) + (row.item.seen?.byteLength ?? 0);
  for (const part of session.split(inLockOrder(requests), size)) {
    const rows = padded(part, size);
    const tokens = rows.map(({ item }) => tokenOf(item));
    const left = await session.insert({
      sql: commands.acquire(rows.length, has),
      parameters: parametersOf(rows, ({ id, longKey, item }) => [
        ...[id, longKey, tokenOf(item)],
        ...[item.duration, item.steal ? 1 : 0],
        ...(has.seen ? [item.seen === undefined ? null : bytesOf({ bytes: item.seen })] : []),
      ]),
      columns: commands.leaseColumns(rows.length),
      ofColumns: tokens,
      ids: idsOf(rows),
    });
    const byId = new Map(left.map((row) => [String(row[0]), row]));
    for (const { indexed, item } of part) answers.set(item.key, answerOf(item, byId.get(indexed)));
  }
  return requests.flatMap(({ key }) => answers.get(key) ?? []);
}

/** Stores each record whose lease has the token. */
export async function fill(session: Session, records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
  const failures = new KeyFailures(records.length);
  const stored = new Set<string>();
  for (const part of session.split(session.fitting(records, failures), recordSize)) {
    for (const { item } of await filled(session, part)) stored.add(item.key);
  }
  failures.throwIfAny();
  return records.map(({ key }) => stored.has(key));
}

/** Ends each lease that has the token. */
export async function release(session: Session, leases: readonly HeldLease[]): Promise<readonly boolean[]> {
  const ended = new Set<string>();
  for (const part of session.split(inLockOrder(leases), pairSize)) {
    const rows = padded(part, pairSize);
    const sql = session.commands.release(rows.length);
    const changed = await marking(session, part, (mark) => [sql, [mark, ...pairsOf(rows)]]);
    for (const { item } of changed) ended.add(item.key);
  }
  return leases.map(({ key }) => ended.has(key));
}

/** Moves the end of each lease that has the token. */
export async function extend(
  session: Session,
  leases: readonly LeaseExtension[],
): Promise<readonly boolean[]> {
  const { commands } = session;
  const extended = new Set<string>();
  for (const part of session.split(inLockOrder(leases), pairSize)) {
    const rows = padded(part, pairSize);
    const given = parametersOf(rows, ({ id, item }) => [id, tokenOf(item), item.duration]);
    const changed = await session.change(commands.extend(rows.length), given);
    // A lease may have that end already, which some pools do not count as a change.
    const found =
      changed >= part.length ? undefined : await session.rows(commands.held(rows.length), pairsOf(rows));
    const held = new Set(found?.map(([id]) => String(id)));
    for (const { indexed, item } of part)
      if (found === undefined || held.has(indexed)) extended.add(item.key);
  }
  return leases.map(({ key }) => extended.has(key));
}

/** Returns the rows whose record was stored. */
function filled(session: Session, rows: readonly Row<LeasedRecord>[]): Promise<readonly Row<LeasedRecord>[]> {
  return marking(session, rows, (mark) => filling(session, rows, mark));
}

/**
 * Changes rows, and returns the changed ones. They have the mark as their token, which ends
 * nobody's lease, until the next lease is granted.
 */
async function marking<L extends HeldLease>(
  session: Session,
  rows: readonly Row<L>[],
  statement: (mark: Buffer) => Change,
): Promise<readonly Row<L>[]> {
  const mark = randomBytes(16);
  const changed = await session.change(...statement(mark));
  if (changed === 0 || changed >= rows.length) return changed === 0 ? [] : rows;
  const ids = idsOf(padded(rows, idSize));
  const found = await session.rows(session.commands.marked(ids.length), [...ids, mark]);
  const marked = new Set(found.map(([id]) => String(id)));
  return rows.filter(({ indexed }) => marked.has(indexed));
}

type Change = [sql: string, parameters: readonly Parameter[]];

/** The most bytes of the parameters of {@link pairsOf}. */
function pairSize(row: Row<HeldLease>): number {
  return 2 * idSize(row);
}

/** The ids, then an id and a token of each lease. */
function pairsOf(rows: readonly Row<HeldLease>[]): readonly Parameter[] {
  return [...idsOf(rows), ...parametersOf(rows, ({ id, item }) => [id, tokenOf(item)])];
}

function filling({ commands }: Session, rows: readonly Row<LeasedRecord>[], mark: Buffer): Change {
  const [only] = rows;
  if (rows.length === 1 && only !== undefined) {
    const { id, item } = only;
    return [commands.fillOne(), [bytesOf(item), ...times(item), mark, id, tokenOf(item)]];
  }
  const all = padded(rows, recordSize);
  const parameters = parametersOf(all, ({ id, item }) => [
    ...[id, tokenOf(item), bytesOf(item)],
    ...times(item),
  ]);
  return [commands.fill(all.length), [...parameters, mark]];
}

function tokenOf({ token }: { readonly token: string }): Buffer {
  return Buffer.from(token, "hex");
}

/**
 * If a second statement reads the row, the row may have another token by then, or be gone: another
 * process stole the lease or removed it. A request that steals had the lease in any case, and gets
 * the later time, which is not after its load. Any other request does not have it.
 */
function answerOf({ steal, seen, token: ours }: Acquisition, row: Answer | undefined): LeaseAnswer {
  const [, token, at, bytes] = row ?? [];
  if (steal || (Buffer.isBuffer(token) && token.toString("hex") === ours)) {
    return { outcome: "granted", token: ours, at: at === undefined ? undefined : Number(at) };
  }
  const isFresh = Buffer.isBuffer(bytes) && !(seen && bytes.equals(seen));
  return isFresh ? { outcome: "fresh", bytes: kept(bytes) } : { outcome: "held" };
}
