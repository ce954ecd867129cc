import { randomBytes } from "node:crypto";
import type {
  Acquisition,
  AnswerRows,
  HeldLease,
  LeasedRecord,
  LeaseExtension,
  TableRow,
} from "cacheme/driver";
import { padded } from "./batch.js";
import { kept, recordSize, rowSize } from "./record.js";
import { keysOf, type Session } from "./session.js";
import type { Statement } from "./statement.js";

/*
 * A lease is part of the row of its key. Only the token counts: a call has the lease if it finds
 * its own token there. A number of changed rows is only taken for what it can mean in one way.
 */

/**
 * Takes the lease of each key if it can be had. If a second statement reads the row, the row may
 * have another token by then, or be gone: another process stole the lease or removed it. A request
 * that steals had the lease in any case, and gets the later time, which is not after its load. Any
 * other request does not have it.
 */
export function acquire(session: Session, requests: readonly TableRow<Acquisition>[]): Promise<AnswerRows> {
  const size = (row: TableRow<Acquisition>): number => rowSize(row) + (row.item.seen?.byteLength ?? 0);
  return session.batch(requests, size, async (rows, part) => {
    const left = await session.insert(session.commands.acquire(rows));
    const byId = new Map(left.map((row) => [String(row[0]), row]));
    return part.map(({ indexed, item }) => {
      const [, token, at, bytes] = byId.get(indexed) ?? [];
      const isOurs = Buffer.isBuffer(token) && token.toString("hex") === item.token;
      return [indexed, isOurs || item.steal ? at : undefined, kept(bytes)];
    });
  });
}

/** Stores each record whose lease has the token. */
export function fill(session: Session, records: readonly TableRow<LeasedRecord>[]): Promise<AnswerRows> {
  return session.batch(records, recordSize, (rows, part) =>
    marking(session, part, (mark) => session.commands.fill(rows, mark)),
  );
}

/** Ends each lease that has the token. */
export function release(session: Session, leases: readonly TableRow<HeldLease>[]): Promise<AnswerRows> {
  return session.batch(leases, pairSize, (rows, part) =>
    marking(session, part, (mark) => session.commands.release(rows, mark)),
  );
}

/** Moves the end of each lease that has the token. */
export function extend(session: Session, leases: readonly TableRow<LeaseExtension>[]): Promise<AnswerRows> {
  const { commands } = session;
  return session.batch(leases, pairSize, (rows, part) =>
    session.changed(part, commands.extend(rows), () => commands.held(rows)),
  );
}

/**
 * Changes rows, and returns the keys of the changed ones. They have the mark as their token, which
 * ends nobody's lease, until the next lease is granted.
 */
async function marking(
  session: Session,
  rows: readonly TableRow<HeldLease>[],
  statement: (mark: Buffer) => Statement,
): Promise<AnswerRows> {
  const mark = randomBytes(16);
  const changed = await session.change(statement(mark));
  if (changed === 0 || changed >= rows.length) return changed === 0 ? [] : keysOf(rows);
  return session.rows(session.commands.marked(padded(rows, rowSize), mark));
}

/** The most bytes of a row's id twice, and its token. */
function pairSize(row: TableRow<HeldLease>): number {
  return 2 * rowSize(row);
}
