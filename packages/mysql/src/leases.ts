import { randomBytes } from "node:crypto";
import {
  type Acquisition,
  type AnswerRows,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseExtension,
  refusedLease,
  type TableRow,
} from "cacheme/driver";
import { padded } from "./batch.js";
import { asBuffer, idOf, kept, parametersOf, recordSize, rowSize, valueColumns, wholeKey } from "./record.js";
import type { Parameter, Session } from "./session.js";

/*
 * A lease is part of the row of its key. Only the token counts: a call has the lease if it finds
 * its own token there. A number of changed rows is only taken for what it can mean in one way.
 */

/** Takes the lease of each key if it can be had. */
export async function acquire(
  session: Session,
  requests: readonly TableRow<Acquisition>[],
): Promise<ReadonlyMap<string, LeaseAnswer>> {
  const { commands } = session;
  const has = { seen: requests.some(({ item }) => item.seen !== undefined) };
  const size = (row: TableRow<Acquisition>): number => rowSize(row) + (row.item.seen?.byteLength ?? 0);
  const answers = await session.batch(requests, size, async (rows, part) => {
    const left = await session.insert({
      sql: commands.acquire(rows.length, has),
      parameters: parametersOf(rows, (row) => [
        ...[...wholeKey(row), tokenOf(row), row.item.duration, row.item.steal ? 1 : 0],
        ...(has.seen ? [row.item.seen === undefined ? null : asBuffer(row.item.seen)] : []),
      ]),
      columns: commands.leaseColumns(rows.length),
      ofColumns: rows.map(tokenOf),
      ids: rows.map(idOf),
    });
    const byId = new Map(left.map((row) => [String(row[0]), row]));
    return part.map(({ indexed, item }) => [indexed, answerOf(item, byId.get(indexed))] as const);
  });
  return new Map(answers);
}

/** Stores each record whose lease has the token. */
export function fill(session: Session, records: readonly TableRow<LeasedRecord>[]): Promise<AnswerRows> {
  const { commands } = session;
  return session.batch(records, recordSize, (rows, part) => {
    const [only] = part;
    return marking(session, part, (mark) =>
      part.length === 1 && only !== undefined
        ? [commands.fillOne(), [...valueColumns(only), mark, idOf(only), tokenOf(only)]]
        : [commands.fill(rows.length), [...parametersOf(rows, leasedValue), mark]],
    );
  });
}

/** Ends each lease that has the token. */
export function release(session: Session, leases: readonly TableRow<HeldLease>[]): Promise<AnswerRows> {
  return session.batch(leases, pairSize, (rows, part) =>
    marking(session, part, (mark) => [session.commands.release(rows.length), [mark, ...pairsOf(rows)]]),
  );
}

/** Moves the end of each lease that has the token. */
export function extend(session: Session, leases: readonly TableRow<LeaseExtension>[]): Promise<AnswerRows> {
  const { commands } = session;
  return session.batch(leases, pairSize, async (rows, part) => {
    const given = parametersOf(rows, (row) => [idOf(row), tokenOf(row), row.item.duration]);
    if ((await session.change(commands.extend(rows.length), given)) >= part.length) return keysOf(part);
    // A lease may have that end already, which some pools do not count as a change.
    return session.rows(commands.held(rows.length), pairsOf(rows));
  });
}

/**
 * Changes rows, and returns the keys of the changed ones. They have the mark as their token, which
 * ends nobody's lease, until the next lease is granted.
 */
async function marking(
  session: Session,
  rows: readonly TableRow<HeldLease>[],
  statement: (mark: Buffer) => [sql: string, parameters: readonly Parameter[]],
): Promise<AnswerRows> {
  const mark = randomBytes(16);
  const changed = await session.change(...statement(mark));
  if (changed === 0 || changed >= rows.length) return changed === 0 ? [] : keysOf(rows);
  const ids = padded(rows, rowSize).map(idOf);
  return session.rows(session.commands.marked(ids.length), [...ids, mark]);
}

function keysOf(rows: readonly TableRow<unknown>[]): AnswerRows {
  return rows.map(({ indexed }) => [indexed]);
}

function leasedValue(row: TableRow<LeasedRecord>): readonly Parameter[] {
  return [idOf(row), tokenOf(row), ...valueColumns(row)];
}

/** The most bytes of the parameters of {@link pairsOf}. */
function pairSize(row: TableRow<HeldLease>): number {
  return 2 * rowSize(row);
}

/** The ids, then an id and a token of each lease. */
function pairsOf(rows: readonly TableRow<HeldLease>[]): readonly Parameter[] {
  return [...rows.map(idOf), ...parametersOf(rows, (row) => [idOf(row), tokenOf(row)])];
}

function tokenOf({ item }: TableRow<{ readonly token: string }>): Buffer {
  return Buffer.from(item.token, "hex");
}

/**
 * If a second statement reads the row, the row may have another token by then, or be gone: another
 * process stole the lease or removed it. A request that steals had the lease in any case, and gets
 * the later time, which is not after its load. Any other request does not have it.
 */
function answerOf(request: Acquisition, [, token, at, value]: AnswerRows[number] = []): LeaseAnswer {
  const ours = request.token;
  if (request.steal || (Buffer.isBuffer(token) && token.toString("hex") === ours)) {
    return { outcome: "granted", token: ours, at: at === undefined ? undefined : Number(at) };
  }
  return refusedLease(request, kept(value));
}
