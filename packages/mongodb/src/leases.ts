import { randomBytes } from "node:crypto";
import {
  type Acquisition,
  type HeldLease,
  KeyFailures,
  type LeaseAnswer,
  type LeasedRecord,
} from "cacheme/driver";
import type { CollectionCall } from "./collection-call.js";
import { anyOf, fresh, heldBy, leasable, leasing, releasing, storing } from "./commands.js";
import { bytesOf, fitting, lengthOf, lengthsOf } from "./record.js";
import { sweepTime } from "./sweep.js";

/*
 * Leases are fields of the record's own document. The filter of an update decides, and MongoDB
 * applies it atomically to one document.
 */

/**
 * One round trip for one key that is granted, and two for several: a batch of updates answers
 * neither the time of a lease nor the bytes that are in its way, so a query reads them afterwards.
 */
export async function acquire(
  call: CollectionCall,
  requests: readonly Acquisition[],
): Promise<readonly LeaseAnswer[]> {
  const granted = requests.length === 1 ? await each(call, requests) : await several(call, requests);
  const others = requests.filter(({ key }) => !granted.has(key));
  const values = await freshValues(call, keysOf(others));
  return requests.map(({ key }): LeaseAnswer => {
    const lease = granted.get(key);
    if (lease !== undefined) return { outcome: "granted", ...lease };
    const bytes = values.get(key);
    return bytes === undefined ? { outcome: "held" } : { outcome: "fresh", bytes };
  });
}

/**
 * One round trip. The server answers how many of the updates found their lease, but not which. If
 * it is neither all nor none, a second round trip reads which documents have the mark of this call.
 */
export async function fill(
  call: CollectionCall,
  records: readonly LeasedRecord[],
): Promise<readonly boolean[]> {
  const failures = new KeyFailures(records.length);
  const short = fitting(records, failures);
  const mark = records.length > 1 ? { filledBy: randomBytes(16).toString("base64url") } : {};
  const statements = short.map((record) => {
    const lengths = lengthsOf(record);
    const value = {
      bytes: record.bytes,
      ...lengths,
      cachemeSweepAt: sweepTime(call.clock, lengths.ttl),
      ...mark,
    };
    return { updateOne: { filter: heldBy(record.key, record.token), update: storing(value) } };
  });
  const stored = statements.length === 0 ? 0 : await call.update(statements);
  failures.throwIfAny();
  if (stored === 0 || stored === records.length) return records.map(() => stored > 0);
  const marked = await call.find({ ...anyOf(keysOf(records)), ...mark }, { _id: 1 });
  const keys = new Set(marked.map(({ _id }) => _id));
  return records.map(({ key }) => keys.has(key));
}

export function release(call: CollectionCall, leases: readonly HeldLease[]): Promise<unknown> {
  return call.update(
    leases.map(({ key, token }) => ({ updateOne: { filter: heldBy(key, token), update: releasing } })),
  );
}

/** A lease that was granted. */
interface Grant {
  readonly token: string;
  readonly at: number;
}

/** The granted leases, by key. */
type Grants = ReadonlyMap<string, Grant>;

/** Acquires each in a round trip of its own, all at once. */
async function each(call: CollectionCall, requests: readonly Acquisition[]): Promise<Grants> {
  const grants = await Promise.all(
    requests.map(async (request): Promise<[string, Grant][]> => {
      const { key, token, steal } = request;
      const { filter, update } = upsertFor(call, request);
      const insert = () => call.upsertOne(filter, update, { lease: 1 });
      // If two clients insert one key at once, one fails, even if it steals. Then the document is
      // there.
      const document = (await insert()) ?? (steal ? await insert() : undefined);
      const at = document?.lease?.at;
      return at === undefined ? [] : [[key, { token, at: Number(at) }]];
    }),
  );
  return new Map(grants.flat());
}

async function several(call: CollectionCall, requests: readonly Acquisition[]): Promise<Grants> {
  const statements = requests.map((request) => ({
    updateOne: { ...upsertFor(call, request), upsert: true },
  }));
  const refused = new Set(await call.upsert(statements, (index) => requests[index]?.steal === true));
  const tokens = new Map(requests.map(({ key, token }) => [key, token]));
  const tried = requests.filter((_, index) => !refused.has(index));
  const found = tried.length === 0 ? [] : await call.find(anyOf(keysOf(tried)), { lease: 1 }, tried.length);
  const granted = new Map(
    found.flatMap(({ _id, lease }): [string, Grant][] =>
      lease !== undefined && lease.token === tokens.get(_id)
        ? [[_id, { token: lease.token, at: Number(lease.at) }]]
        : [],
    ),
  );
  // A lease that was destroyed before its time was read counts as another client's, unless the
  // request steals.
  const again = tried.filter(({ key, steal }) => steal && !granted.has(key));
  return again.length === 0 ? granted : new Map([...granted, ...(await each(call, again))]);
}

/**
 * Returns the upsert of a lease. A document that is in its way makes it fail with a duplicate key.
 */
function upsertFor({ clock }: CollectionCall, { key, token, duration, steal }: Acquisition) {
  const length = lengthOf(duration);
  const filter = steal ? { _id: key } : leasable(key);
  return { filter, update: leasing(token, length, sweepTime(clock, length)) };
}

async function freshValues(
  call: CollectionCall,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  if (keys.length === 0) return new Map();
  const found = await call.find(fresh(keys), { bytes: 1, generation: 1 }, keys.length);
  return new Map(
    found.flatMap((document) => {
      const bytes = bytesOf(document);
      return bytes === undefined ? [] : [[document._id, bytes]];
    }),
  );
}

function keysOf(leases: readonly { readonly key: string }[]): readonly string[] {
  return leases.map(({ key }) => key);
}
