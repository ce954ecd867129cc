import assert from "node:assert/strict";
import type { LeaseRequest, RemoteStorage } from "cacheme/driver";
import type { RoundTrips } from "../capabilities.js";
import { type Section, section } from "../case.js";
import type { ComplianceProxy } from "../compliance-server.js";
import { record } from "../expect.js";
import type { Trial } from "../subject.js";
import { extend, grantedAll, leasesOf } from "./lease-calls.js";

const batch = 50;

/** The round trips of batches, counted on the connection. */
export const roundTrips: Section = section("round trips", {
  "reads, writes and removes many keys in one round trip each": async (trial) => {
    const { storage, measure } = await counted(trial);
    const keys = Array.from({ length: batch }, (_, index) => trial.key(`${index}`));
    const records = keys.map((key) => record(key, "value"));
    await measure("writeMany", () => storage.writeMany(records));
    await measure("readMany", () => storage.readMany(keys));
    await measure("removeMany", () => storage.removeMany(keys));
  },

  "reads a single key in one round trip": async (trial) => {
    const { storage, measure } = await counted(trial);
    await measure("readMany", () => storage.readMany([trial.key("a")]));
  },

  "reads the time in one round trip": async (trial) => {
    const { storage, measure } = await counted(trial);
    await measure("time", () => storage.time());
  },

  "makes no round trip for empty batches": async (trial) => {
    const { storage, proxy } = await counted(trial);
    await storage.ping();
    const fewest = await fewestRoundTrips(proxy, 0, async () => {
      await storage.readMany([]);
      await storage.writeMany([]);
      await storage.removeMany([]);
    });
    assert.equal(fewest, 0);
  },
});

/** The round trips of touches. */
export const touchRoundTrips: Section = section("round trips", {
  "touches many records in one round trip": async (trial) => {
    const { storage, measure } = await counted(trial);
    const keys = Array.from({ length: batch }, (_, index) => trial.key(`${index}`));
    await measure(
      "touchMany",
      async () => {
        const answers = await storage.touchMany?.(keys.map((key) => ({ key, ttl: 120_000 })));
        assert.deepEqual(
          answers,
          keys.map(() => true),
        );
      },
      () => storage.writeMany(keys.map((key) => record(key, "value"))),
    );
  },
});

/** The round trips of leases. */
export const leaseRoundTrips: Section = section("round trips", {
  "acquires, fills and releases the leases of many keys in one round trip each": async (trial) => {
    const { storage, measure } = await counted(trial);
    const leases = leasesOf(storage);
    const requests = requestsOf(trial);
    const held = () => grantedAll(storage, requests);
    await measure("acquire", () => leases.acquire(requests));
    await measure(
      "fill",
      async (granted) => {
        const filled = await leases.fill(
          granted.map((lease) => ({ ...record(lease.key, "value"), ...lease })),
        );
        assert.deepEqual(
          filled,
          granted.map(() => true),
        );
      },
      held,
    );
    await measure("release", (granted) => leases.release(granted), held);
  },
});

/** The round trips of extended leases. */
export const extensionRoundTrips: Section = section("round trips", {
  "extends the leases of many keys in one round trip": async (trial) => {
    const { storage, measure } = await counted(trial);
    const held = await grantedAll(storage, requestsOf(trial));
    const longer = held.map((lease) => ({ ...lease, duration: 60_000 }));
    await measure("extend", () => extend(storage, longer));
  },
});

function requestsOf({ key }: Trial): LeaseRequest[] {
  return Array.from({ length: batch }, (_, index) => ({
    key: key(`${index}`),
    duration: 60_000,
    steal: true,
  }));
}

/** The round trips of generations. */
export const generationRoundTrips: Section = section("round trips", {
  "reads and bumps the generations of many tags in one round trip each": async (trial) => {
    const { storage, measure } = await counted(trial);
    const { generations } = storage;
    assert.ok(generations !== undefined, "the storage has generations");
    const keys = Array.from({ length: batch }, (_, index) => trial.key(`tag:${index}`));
    await measure("ensure", () => generations.ensure(keys, 60_000));
    await measure("bump", () => generations.bump(keys, 60_000));
  },
});

/**
 * Calls that are measured at most. A client may send something of its own beside a call, such as a
 * heartbeat, and send it more often if the machine is slow. Such requests only add round trips.
 */
const attempts = 10;

interface Counted {
  readonly storage: RemoteStorage;
  readonly proxy: ComplianceProxy;
  /**
   * Repeats the call until it has nothing more to prepare (a connection, a statement, a script).
   * Then it counts the round trips of calls, until one has no more than it may have.
   *
   * @param prepare makes what each call needs, and is not counted
   */
  measure(kind: keyof RoundTrips, call: () => Promise<unknown>): Promise<void>;
  measure<T>(
    kind: keyof RoundTrips,
    call: (prepared: T) => Promise<unknown>,
    prepare: () => Promise<T>,
  ): Promise<void>;
}

async function counted(trial: Trial): Promise<Counted> {
  const server = await trial.server();
  const proxy = await server.proxy?.();
  assert.ok(proxy !== undefined, "expected a server with a proxy");
  trial.after(() => proxy.close());
  const storage = await trial.connected({}, proxy.url);
  return {
    storage,
    proxy,
    async measure<T>(
      kind: keyof RoundTrips,
      call: (prepared: T | undefined) => Promise<unknown>,
      prepare?: () => Promise<T>,
    ) {
      for (let warmUp = 0; warmUp < 3; warmUp++) await call(await prepare?.());
      const atMost = trial.capabilities.roundTrips?.[kind] ?? 1;
      const fewest = await fewestRoundTrips(proxy, atMost, call, prepare);
      assert.ok(
        fewest >= 1 && fewest <= atMost,
        `${kind}: expected at most ${atMost} round trips, got ${fewest}`,
      );
    },
  };
}

/** Returns the fewest round trips of a call, or the first number that is within the limit. */
async function fewestRoundTrips<T>(
  proxy: ComplianceProxy,
  atMost: number,
  call: (prepared: T | undefined) => Promise<unknown>,
  prepare?: () => Promise<T>,
): Promise<number> {
  let fewest = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts && fewest > atMost; attempt++) {
    const prepared = await prepare?.();
    proxy.resetCounts();
    await call(prepared);
    fewest = Math.min(fewest, proxy.counts.roundTrips);
  }
  return fewest;
}
