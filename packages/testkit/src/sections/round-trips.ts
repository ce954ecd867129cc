import assert from "node:assert/strict";
import type { LeaseAnswer, RemoteStorage } from "cacheme/driver";
import type { RoundTrips } from "../capabilities.js";
import { type Section, section } from "../case.js";
import type { ComplianceProxy } from "../compliance-server.js";
import { record } from "../expect.js";
import type { Trial } from "../subject.js";

const batch = 50;

/** A batch is one question and one answer, counted on the wire. */
export const roundTrips: Section = section("round trips", {
  "takes one for a read, a write and a removal of many keys": async (trial) => {
    const { storage, measure } = await counted(trial);
    const keys = Array.from({ length: batch }, (_, index) => trial.key(`${index}`));
    const records = keys.map((key) => record(key, "value"));
    await measure("writeMany", () => storage.writeMany(records));
    await measure("readMany", () => storage.readMany(keys));
    await measure("removeMany", () => storage.removeMany(keys));
  },

  "takes one for a read of a single key": async (trial) => {
    const { storage, measure } = await counted(trial);
    await measure("readMany", () => storage.readMany([trial.key("a")]));
  },

  "takes one for the time": async (trial) => {
    const { storage, measure } = await counted(trial);
    await measure("time", () => storage.time());
  },

  "takes none for empty batches": async (trial) => {
    const { storage, proxy } = await counted(trial);
    await storage.ping();
    proxy.resetCounts();
    await storage.readMany([]);
    await storage.writeMany([]);
    await storage.removeMany([]);
    assert.equal(proxy.counts.roundTrips, 0);
  },
});

/** The same for leases. */
export const leaseRoundTrips: Section = section("round trips", {
  "takes one for the leases of many keys, for their fills and for giving them back": async (trial) => {
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

/** The same for generations. */
export const generationRoundTrips: Section = section("round trips", {
  "takes one for the generations of many tags, old and new": async (trial) => {
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
  /** Makes the call until it has no more to prepare (a connection, a statement, a script), and counts the last one. */
  measure(kind: keyof RoundTrips, call: () => Promise<unknown>): Promise<void>;
}

async function counted(trial: Trial): Promise<Counted> {
  const server = await trial.server();
  const proxy = await server.proxy?.();
  assert.ok(proxy !== undefined, "counting needs a proxy");
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
      assert.ok(roundTrips >= 1 && roundTrips <= atMost, `${kind}: ${roundTrips} round trips, not ${atMost}`);
    },
  };
}
