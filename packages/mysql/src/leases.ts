import { randomBytes } from "node:crypto";
import {
  type Acquisition,
  type HeldLease,
  KeyFailures,
  type LeaseAnswer,
  type LeasedRecord,
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
  for (const part of session.split(inLockOrder(requests), idSize)) {
    const rows = padded(part, idSize);
    const tokens = rows.map(({ item }) => tokenOf(item));
    const left = await session.insert({
      sql: commands.acquire(rows.length),
      parameters: parametersOf(rows, ({ id, longKey, item }) => [
        ...[id, longKey, tokenOf(item)],
        ...[item.duration, item.steal ? 1 : 0],
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
export async function release(session: Session, leases: readonly HeldLease[]): Promise<void> {
  for (const part of session.split(inLockOrder(leases), (row) => 2 * idSize(row))) {
    const rows = padded(part, idSize);
    const pairs = parametersOf(rows, ({ id, item }) => [id, tokenOf(item)]);
    await session.change(session.commands.release(rows.length), [...idsOf(rows), ...pairs]);
  }
}

/** Returns the rows whose record was stored. */
async function filled(
  session: Session,
  rows: readonly Row<LeasedRecord>[],
): Promise<readonly Row<LeasedRecord>[]> {
  const { commands } = session;
  // The stored rows have the mark as their token, which ends nobody's lease, until the next lease
  // is granted.
  const mark = randomBytes(16);
  const changed = await session.change(...filling(session, rows, mark));
  if (changed === 0 || changed >= rows.length) return changed === 0 ? [] : rows;
  const ids = idsOf(padded(rows, idSize));
  const found = await session.rows(commands.filled(ids.length), [...ids, mark]);
  const marked = new Set(found.map(([id]) => String(id)));
  return rows.filter(({ indexed }) => marked.has(indexed));
}

function filling(
  { commands }: Session,
  rows: readonly Row<LeasedRecord>[],
  mark: Buffer,
): [sql: string, parameters: readonly Parameter[]] {
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
function answerOf({ steal, token: ours }: Acquisition, row: Answer | undefined): LeaseAnswer {
  const [, token, at, bytes] = row ?? [];
  if (steal || (Buffer.isBuffer(token) && token.toString("hex") === ours)) {
    return { outcome: "granted", token: ours, at: at === undefined ? undefined : Number(at) };
  }
  return Buffer.isBuffer(bytes) ? { outcome: "fresh", bytes: kept(bytes) } : { outcome: "held" };
}
