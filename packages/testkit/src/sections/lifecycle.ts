import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record, refused } from "../expect.js";

/** From connect to close. */
export const lifecycle: Section = section("lifecycle", {
  "has a label, and answers a ping": async ({ storage }) => {
    assert.equal(storage.kind, "remote");
    assert.ok(storage.label.length > 0);
    assert.equal(await storage.ping(), undefined);
  },

  "supports the declared capabilities, and gives the reason for each missing one": async ({
    storage,
    capabilities,
  }) => {
    const supported = {
      leases: storage.leases !== undefined,
      generations: storage.generations !== undefined,
      scan: storage.scan !== undefined,
      info: storage.info !== undefined,
    };
    const { leases = true, generations = true, scan = true, info = true } = capabilities;
    assert.deepEqual(supported, { leases, generations, scan, info });
    for (const capability of ["leases", "generations", "scan", "info"] as const) {
      const reason = storage.lacks?.[capability];
      if (supported[capability])
        assert.equal(reason, undefined, `expected no reason for lacking ${capability}, which is supported`);
      else
        assert.ok(reason !== undefined && reason.length > 20, `expected a reason for lacking ${capability}`);
    }
  },

  "connects twice, concurrently and again": async (trial) => {
    const storage = await trial.unconnected();
    await Promise.all([storage.connect(), storage.connect()]);
    await storage.connect();
    await storage.writeMany([record(trial.key("a"), "A")]);
    assert.deepEqual(await readTexts(storage, trial.key("a")), ["A"]);
  },

  "closes twice, concurrently and again, even if it was never connected": async (trial) => {
    const storage = await trial.connected();
    await Promise.all([storage.close(), storage.close()]);
    await storage.close();
    const other = await trial.unconnected();
    await other.close();
  },

  "refuses every call after close": async (trial) => {
    const storage = await trial.connected();
    await storage.close();
    await refused(storage.readMany(["a"]), "CACHEME_CLOSED");
    await refused(storage.writeMany([record("a", "A")]), "CACHEME_CLOSED");
    await refused(storage.removeMany(["a"]), "CACHEME_CLOSED");
    await refused(storage.ping(), "CACHEME_CLOSED");
    await refused(storage.time(), "CACHEME_CLOSED");
    await refused(storage.connect(), "CACHEME_CLOSED");
    if (storage.leases !== undefined) {
      await refused(storage.leases.acquire([{ key: "a", duration: 1000 }]), "CACHEME_CLOSED");
    }
    if (storage.generations !== undefined) {
      await refused(storage.generations.ensure(["a"], 1000), "CACHEME_CLOSED");
    }
  },

  "answers the pending calls when it closes": async (trial) => {
    const storage = await trial.connected();
    const writes = Array.from({ length: 20 }, (_, index) =>
      storage.writeMany([record(trial.key(`${index}`), `${index}`)]),
    );
    const closed = storage.close();
    await Promise.all(writes);
    await closed;
    assert.deepEqual(await readTexts(trial.storage, trial.key("0"), trial.key("19")), ["0", "19"]);
  },

  "returns from a lazy connect at once, and answers later calls": async (trial) => {
    const storage = await trial.unconnected({ connect: "lazy" });
    await storage.connect();
    await storage.writeMany([record(trial.key("a"), "A")]);
    assert.deepEqual(await readTexts(storage, trial.key("a")), ["A"]);
  },

  "answers calls before connect": async (trial) => {
    const storage = await trial.unconnected();
    assert.deepEqual(await readTexts(storage, trial.key("none")), [undefined]);
  },
});

/** The storage's information about its server. */
export const information: Section = section("lifecycle", {
  "reports its server's name and version": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A")]);
    const info = await storage.info?.();
    assert.match(info?.server ?? "", /\S+ \S*\d/);
    if (info?.records !== undefined) assert.ok(info.records >= 0 && Number.isFinite(info.records));
    if (info?.bytes !== undefined) assert.ok(info.bytes >= 0 && Number.isFinite(info.bytes));
  },
});
