import { randomBytes } from "node:crypto";
import type * as kit from "cacheme/driver";
import { refusedLease } from "cacheme/driver";
import type { CollectionCall } from "./collection-call.js";
import {
  anyOf,
  type Command,
  fresh,
  heldBy,
  leasable,
  leasing,
  type Mark,
  releasing,
  storing,
} from "./commands.js";
import { bytesOf } from "./record.js";

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
  requests: readonly kit.Acquisition[],
): Promise<readonly kit.LeaseAnswer[]> {
  const granted = requests.length === 1 ? await each(call, requests) : await several(call, requests);
  const others = requests.filter(({ key }) => !granted.has(key));
  const values = await freshValues(call, keysOf(others));
  return requests.map((request): kit.LeaseAnswer => {
    const lease = granted.get(request.key);
    if (lease !== undefined) return { outcome: "granted", ...lease };
    return refusedLease(request, values.get(request.key));
  });
}

export function fill(
  call: CollectionCall,
  records: readonly kit.LeasedRecord[],
): Promise<readonly boolean[]> {
  const mark = markOf(records);
  return whichHeld(call, records, mark, (record) => storing(call.clock, record, mark));
}

export function release(call: CollectionCall, leases: readonly kit.HeldLease[]): Promise<readonly boolean[]> {
  const mark = markOf(leases);
  return whichHeld(call, leases, mark, () => releasing(mark));
}

export function extend(
  call: CollectionCall,
  leases: readonly kit.LeaseExtension[],
): Promise<readonly boolean[]> {
  return whichHeld(call, leases, undefined, ({ token, duration }) => leasing(call.clock, token, duration));
}

/** Returns a mark for the documents of a call with several leases: see {@link whichHeld}. */
function markOf(leases: readonly unknown[]): Mark {
  return leases.length > 1 ? { changedBy: randomBytes(16).toString("base64url") } : {};
}

/**
 * Updates the documents whose lease has its token, in one round trip. The server answers how many
 * there are, but not which. If it is neither all nor none, a second round trip reads which documents
 * have the mark of this call, or still have the lease.
 */
async function whichHeld<L extends kit.HeldLease>(
  call: CollectionCall,
  leases: readonly L[],
  mark: Mark | undefined,
  updateOf: (lease: L) => Command,
): Promise<readonly boolean[]> {
  const held = await call.update(
    leases.map((lease) => ({
      updateOne: { filter: heldBy(lease.key, lease.token), update: updateOf(lease) },
    })),
  );
  if (held === 0 || held === leases.length) return leases.map(() => held > 0);
  const found = await call.find({ ...anyOf(keysOf(leases)), ...mark }, { lease: 1 }, leases.length);
  const tokens = new Map(found.map(({ _id, lease }) => [_id, lease?.token]));
  return leases.map(({ key, token }) => (mark ? tokens.has(key) : tokens.get(key) === token));
}

/** A lease that was granted. */
interface Grant {
  readonly token: string;
  readonly at: number;
}

/** The granted leases, by key. */
type Grants = ReadonlyMap<string, Grant>;

/** Acquires each in a round trip of its own, all at once. */
async function each(call: CollectionCall, requests: readonly kit.Acquisition[]): Promise<Grants> {
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

async function several(call: CollectionCall, requests: readonly kit.Acquisition[]): Promise<Grants> {
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
function upsertFor({ clock }: CollectionCall, { key, token, duration, steal, seen }: kit.Acquisition) {
  const filter = steal ? { _id: key } : leasable(key, seen);
  return { filter, update: leasing(clock, token, duration) };
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
