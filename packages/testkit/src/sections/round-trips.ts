import assert from "node:assert/strict";
import type { LeaseAnswer, RemoteStorage } from "cacheme/driver";
import type { RoundTrips } from "../capabilities.js";
import { type Section, section } from "../case.js";
import type { ComplianceProxy } from "../compliance-server.js";
import { record } from "../expect.js";
import type { Trial } from "../subject.js";

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
    proxy.resetCounts();
    await storage.readMany([]);
    await storage.writeMany([]);
    await storage.removeMany([]);
    assert.equal(proxy.counts.roundTrips, 0);
  },
});

/** The round trips of leases. */
export const leaseRoundTrips: Section = section("round trips", {
  "acquires, fills and releases the leases of many keys in one round trip each": async (trial) => {
    const { storage, measure } = await counted(trial);
    const { leases } = storage;
    assert.ok(leases !== undefined, "the storage has leases");
    const keys = Array.from({ length: batch }, (_, index) => trial.key(`${index}`));
    const requests = keys.map((key) => ({ key, duration: 60_000, steal: true }));
    let answers: readonly LeaseAnswer[] = [];
    await measure("acquire", async () => {
      answers = await leases.acquire(requests);
    });
    const held = answers.map((answer, index) => ({
      key: keys[index] ?? "",
      token: answer.outcome === "granted" ? answer.token : "",
    }));
    await measure("fill", () =>
      leases.fill(held.map((lease) => ({ ...record(lease.key, "value"), ...lease }))),
    );
    await measure("release", () => leases.release(held));
  },
});

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

interface Counted {
  readonly storage: RemoteStorage;
  readonly proxy: ComplianceProxy;
  /**
   * Repeats the call until it has nothing more to prepare (a connection, a statement, a script),
   * and counts the round trips of the last one.
   */
  measure(kind: keyof RoundTrips, call: () => Promise<unknown>): Promise<void>;
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
    async measure(kind, call) {
      for (let warmUp = 0; warmUp < 3; warmUp++) await call();
      proxy.resetCounts();
      await call();
      const atMost = trial.capabilities.roundTrips?.[kind] ?? 1;
      const { roundTrips } = proxy.counts;
      assert.ok(
        roundTrips >= 1 && roundTrips <= atMost,
        `${kind}: expected at most ${atMost} round trips, got ${roundTrips}`,
      );
    },
  };
}
