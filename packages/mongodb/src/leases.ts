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
   * Two round trips: an update answers neither the time at which a lease was granted nor the bytes that are in its way, so
   * these are read afterwards. A document that is in the way makes an upsert fail with a duplicate key.
   */
  async acquire(requests: readonly LeaseRequest[]): Promise<readonly LeaseAnswer[]> {
    if (requests.length === 0) return [];
    checkKeys(keysOf(requests), this.#calls.label);
    return this.#calls.run("a lease", async (call) => {
      const tokens = new Map(requests.map(({ key }) => [key, randomToken()]));
      const { clock } = call;
      const statements = requests.map(({ key, duration, steal }) => {
        const length = lengthOf(duration);
        const update = leasing(tokens.get(key) ?? "", length, sweepTime(clock, length));
        return { updateOne: { filter: steal === true ? { _id: key } : leasable(key), update, upsert: true } };
      });
      const refused = new Set(await call.upsert(statements, (index) => requests[index]?.steal === true));
      const granted = requests.filter((_, index) => !refused.has(index)).map(({ key }) => key);
      const others = requests.filter((_, index) => refused.has(index)).map(({ key }) => key);
      const [times, values] = await Promise.all([grants(call, granted, tokens), freshValues(call, others)]);
      return requests.map(({ key }): LeaseAnswer => {
        const at = times.get(key);
        const token = tokens.get(key);
        if (at !== undefined && token !== undefined) return { outcome: "granted", token, at };
        const bytes = values.get(key);
        // A lease of ours that was destroyed before we could read its time is as good as somebody else's.
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
          sweepAt: sweepTime(call.clock, lengths.ttl),
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

/** When each of the leases was granted, as far as it is still ours. */
async function grants(
  call: CollectionCall,
  keys: readonly string[],
  tokens: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, number>> {
  if (keys.length === 0) return new Map();
  const found = await call.find(anyOf(keys), { lease: 1 });
  return new Map(
    found.flatMap(({ _id, lease }) =>
      lease !== undefined && lease.token === tokens.get(_id) ? [[_id, Number(lease.at)]] : [],
    ),
  );
}

async function freshValues(
  call: CollectionCall,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  if (keys.length === 0) return new Map();
  const found = await call.find(fresh(keys), { bytes: 1, generation: 1 });
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
