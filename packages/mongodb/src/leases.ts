import { randomBytes } from "node:crypto";
import {
  checkKeys,
  type HeldLease,
  type LeaseAnswer,
  type LeasedRecord,
  type LeaseRequest,
  type Leases,
} from "cacheme/driver";
import type { CollectionCall, CollectionCalls } from "./collection-call.js";
import { anyOf, fresh, heldBy, leasable, leasing, releasing, storing } from "./commands.js";
import { bytesOf, lengthOf, lengthsOf } from "./record.js";
import { sweepTime } from "./sweep.js";

/** 128 random bits, 22 characters of base64url. */
export function randomToken(): string {
  return randomBytes(16).toString("base64url");
}

/**
 * Leases as fields of the record's own document. What decides is the filter of an update, which MongoDB applies atomically
 * to one document.
 */
export class MongodbLeases implements Leases {
  readonly #calls: CollectionCalls;

  constructor(calls: CollectionCalls) {
    this.#calls = calls;
  }

  /**
   * One round trip for one key that is granted. For several, two: a batch of updates answers neither the time at which a
   * lease was granted nor the bytes that are in its way, so these are read afterwards.
   */
  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    if (requests.length === 0) return [];
    checkKeys(keysOf(requests), this.#calls.label);
    return this.#calls.run("a lease", async (call) => {
      const granted = requests.length === 1 ? await each(call, requests) : await several(call, requests);
      const others = requests.filter(({ key }) => !granted.has(key));
      const values = await freshValues(call, keysOf(others));
      return requests.map(({ key }): LeaseAnswer => {
        const lease = granted.get(key);
        if (lease !== undefined) return { outcome: "granted", ...lease };
        const bytes = values.get(key);
        return bytes === undefined ? { outcome: "held" } : { outcome: "fresh", bytes };
      });
    });
  }

  /**
   * One round trip. The server answers how many of the updates found their lease, but not which; where it is neither all
   * nor none, a second one reads who bears the mark of this call.
   */
  async fill(records: readonly LeasedRecord[]): Promise<readonly boolean[]> {
    if (records.length === 0) return [];
    this.#calls.checkRecords(records);
    return this.#calls.run("a fill", async (call) => {
      const mark = records.length > 1 ? { filledBy: randomToken() } : {};
      const statements = records.map((record) => {
        const lengths = lengthsOf(record);
        const value = {
          bytes: record.bytes,
          ...lengths,
          cachemeSweepAt: sweepTime(call.clock, lengths.ttl),
          ...mark,
        };
        return { updateOne: { filter: heldBy(record.key, record.token), update: storing(value) } };
      });
      const stored = await call.update(statements);
      if (stored === 0 || stored === records.length) return records.map(() => stored > 0);
      const marked = await call.find({ ...anyOf(keysOf(records)), ...mark }, { _id: 1 });
      const keys = new Set(marked.map(({ _id }) => _id));
      return records.map(({ key }) => keys.has(key));
    });
  }

  async release(leases: readonly HeldLease[]): Promise<void> {
    if (leases.length === 0) return;
    checkKeys(keysOf(leases), this.#calls.label);
    await this.#calls.run("a release", (call) =>
      call.update(
        leases.map(({ key, token }) => ({ updateOne: { filter: heldBy(key, token), update: releasing } })),
      ),
    );
  }
}

/** A lease that was granted. */
interface Grant {
  readonly token: string;
  readonly at: number;
}

/** What was granted, by key. */
type Grants = ReadonlyMap<string, Grant>;

/** Each in a round trip of its own, all at once. */
async function each(call: CollectionCall, requests: readonly LeaseRequest[]): Promise<Grants> {
  const grants = await Promise.all(
    requests.map(async (request): Promise<[string, Grant][]> => {
      const { token, filter, update } = asked(call, request);
      // Of two that insert one key at once one fails, also where it wants the lease in any case: then it is there now.
      const document =
        (await call.upsertOne(filter, update, { lease: 1 })) ??
        (request.steal === true ? await call.upsertOne(filter, update, { lease: 1 }) : undefined);
      const at = document?.lease?.at;
      return at === undefined ? [] : [[request.key, { token, at: Number(at) }]];
    }),
  );
  return new Map(grants.flat());
}

async function several(call: CollectionCall, requests: readonly LeaseRequest[]): Promise<Grants> {
  const all = requests.map((request) => asked(call, request));
  const statements = all.map(({ filter, update }) => ({ updateOne: { filter, update, upsert: true } }));
  const refused = new Set(await call.upsert(statements, (index) => requests[index]?.steal === true));
  const tokens = new Map(all.map(({ token }, index) => [requests[index]?.key, token]));
  const tried = requests.filter((_, index) => !refused.has(index));
  const found = tried.length === 0 ? [] : await call.find(anyOf(keysOf(tried)), { lease: 1 }, tried.length);
  const granted = new Map(
    found.flatMap(({ _id, lease }): [string, Grant][] =>
      lease !== undefined && lease.token === tokens.get(_id)
        ? [[_id, { token: lease.token, at: Number(lease.at) }]]
        : [],
    ),
  );
  // What was destroyed before we could read its time is as good as somebody else's, but for those who steal.
  const again = tried.filter(({ key, steal }) => steal === true && !granted.has(key));
  return again.length === 0 ? granted : new Map([...granted, ...(await each(call, again))]);
}

/** The lease that a request asks for. A document that is in its way makes the upsert fail with a duplicate key. */
function asked({ clock }: CollectionCall, { key, duration, steal }: LeaseRequest) {
  const token = randomToken();
  const length = lengthOf(duration);
  const filter = steal === true ? { _id: key } : leasable(key);
  return { token, filter, update: leasing(token, length, sweepTime(clock, length)) };
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
