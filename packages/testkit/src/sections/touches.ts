import assert from "node:assert/strict";
import type { RemoteStorage, StoredTouch } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { pass, readTexts, record, refused } from "../expect.js";
import { acquire, fill, granted, minute, release, stale } from "./lease-calls.js";
import { gone, precisionOf } from "./ttl.js";

const hour = 60 * minute;

/** Longer lives for records. */
export const touches: Section = section("touch", {
  "keeps a record for longer, and its bytes unchanged": async (trial) => {
    const { storage, key } = trial;
    const short = 300 + 2 * precisionOf(trial);
    await storage.writeMany([record(key("touched"), "T", short), record(key("other"), "O", short)]);
    assert.deepEqual(await touch(storage, { key: key("touched"), ttl: minute }), [true]);
    await gone(trial, key("other"));
    await pass(2 * precisionOf(trial));
    assert.deepEqual(await readTexts(storage, key("touched")), ["T"]);
    assert.equal(await storage.removeMany([key("touched")]), 1);
  },

  "keeps a record for longer again and again, and lets it expire then": async (trial) => {
    const { storage, key } = trial;
    const short = 300 + 2 * precisionOf(trial);
    const step = 100 + precisionOf(trial);
    await storage.writeMany([record(key("a"), "A", short)]);
    for (let touched = 0; touched < 4; touched++) {
      await pass(step);
      assert.deepEqual(await touch(storage, { key: key("a"), ttl: short }), [true]);
    }
    await gone(trial, key("a"));
    assert.deepEqual(await touch(storage, { key: key("a"), ttl: minute }), [false]);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
  },

  "never shortens the life of a record": async (trial) => {
    const { storage, key } = trial;
    await storage.writeMany([
      record(key("long"), "L", hour),
      { key: key("always"), bytes: Buffer.from("A"), ttl: undefined },
    ]);
    const short = [key("long"), key("always")].map((each) => ({ key: each, ttl: 1 }));
    assert.deepEqual(await touch(storage, ...short), [true, true]);
    await pass(100 + 2 * precisionOf(trial));
    assert.deepEqual(await readTexts(storage, key("long"), key("always")), ["L", "A"]);
  },

  "brings nothing back, and answers each key in its order": async (trial) => {
    const { storage, key } = trial;
    await storage.writeMany([record(key("removed"), "R"), record(key("expired"), "E", 1)]);
    await storage.writeMany([record(key("kept"), "K"), record(key("empty"), "")]);
    await storage.removeMany([key("removed")]);
    await gone(trial, key("expired"));
    const names = ["removed", "kept", "never", "expired", "empty", "kept"];
    const touched = await touch(storage, ...names.map((name) => ({ key: key(name), ttl: hour })));
    assert.deepEqual(touched, [false, true, false, false, true, true]);
    const found = await readTexts(storage, ...names.map(key));
    assert.deepEqual(found, [undefined, "K", undefined, undefined, "", "K"]);
  },

  "keeps a record for the longer time of two touches in one batch": async (trial) => {
    const { storage, key } = trial;
    const short = 300 + 2 * precisionOf(trial);
    await storage.writeMany([record(key("a"), "A", short), record(key("b"), "B", short)]);
    await touch(storage, { key: key("a"), ttl: minute }, { key: key("a"), ttl: short });
    await gone(trial, key("b"));
    await pass(2 * precisionOf(trial));
    assert.deepEqual(await readTexts(storage, key("a")), ["A"]);
  },

  "touches long keys, many keys and large values": async ({ storage, key }) => {
    const long = key("k".repeat(1000));
    const keys = Array.from({ length: 300 }, (_, index) => key(`${index}`));
    await storage.writeMany([...keys, long].map((each) => record(each, each)));
    await storage.writeMany([record(key("large"), "x".repeat(100_000))]);
    const all = [...keys, long, key("large")];
    const touched = await touch(storage, ...all.map((each) => ({ key: each, ttl: hour })));
    assert.ok(touched.every(Boolean));
    assert.deepEqual(await readTexts(storage, long, key("7")), [long, key("7")]);
  },

  "makes fewer of no batch, and refuses invalid keys": async ({ storage, key }) => {
    assert.deepEqual(await touch(storage), []);
    await storage.writeMany([record(key("a"), "A")]);
    const call = touch(storage, { key: key("a"), ttl: hour }, { key: "", ttl: hour });
    await refused(call, "CACHEME_INVALID_KEY");
  },
});

/** Touches and leases do not disturb each other. */
export const leasedTouches: Section = section("touch", {
  "keeps stale bytes stale, and fresh ones fresh": async ({ storage, key }) => {
    await stale(storage, key("stale"), "S");
    await storage.writeMany([{ ...record(key("fresh"), "F"), freshFor: minute - 1000 }]);
    await storage.writeMany([record(key("whole"), "W")]);
    const keys = [key("stale"), key("fresh"), key("whole")];
    assert.deepEqual(await touch(storage, ...keys.map((each) => ({ key: each, ttl: hour }))), [
      true,
      true,
      true,
    ]);
    assert.equal((await acquire(storage, key("stale"))).outcome, "granted");
    assert.equal((await acquire(storage, key("fresh"))).outcome, "fresh");
    assert.equal((await acquire(storage, key("whole"))).outcome, "fresh");
  },

  "keeps the freshness of bytes that are fresh for less than their life": async (trial) => {
    const { storage, key } = trial;
    const freshFor = 500 + 2 * precisionOf(trial);
    await storage.writeMany([{ ...record(key("a"), "A"), freshFor }]);
    await touch(storage, { key: key("a"), ttl: hour });
    await pass(freshFor + 100 + 2 * precisionOf(trial));
    assert.equal((await acquire(storage, key("a"))).outcome, "granted");
    assert.deepEqual(await readTexts(storage, key("a")), ["A"]);
  },

  "leaves a lease to its holder": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    assert.deepEqual(await touch(storage, { key: key("a"), ttl: hour }), [true]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.deepEqual(await readTexts(storage, key("a")), ["old"]);
    assert.equal(await fill(storage, key("a"), token, "new"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
  },

  "leaves the end of a lease, and lets its holder release it": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    await touch(storage, { key: key("a"), ttl: hour });
    assert.equal(await release(storage, key("a"), token), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["old"]);
    assert.equal((await acquire(storage, key("a"))).outcome, "granted");
  },

  "takes a lease alone for no record": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    assert.deepEqual(await touch(storage, { key: key("a"), ttl: hour }), [false]);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.equal(await fill(storage, key("a"), token, "A"), true);
  },

  "keeps bytes for longer that their lease would have outlived": async (trial) => {
    const { storage, key } = trial;
    const short = 400 + 2 * precisionOf(trial);
    await storage.writeMany([record(key("a"), "A", short), record(key("b"), "B", short)]);
    await granted(storage, key("a"), { steal: true });
    const [touched = false] = await touch(storage, { key: key("a"), ttl: 2 * minute });
    assert.equal(touched, true);
    await gone(trial, key("b"));
    const token = await granted(storage, key("a"), { steal: true });
    assert.equal(await fill(storage, key("a"), token, "new"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
  },
});

/** For storages that can only write their bytes again. */
export const noTouch: Section = section("touch", {
  "has no `touchMany`": async ({ storage }) => {
    assert.equal(storage.touchMany, undefined);
  },
});

async function touch(storage: RemoteStorage, ...given: readonly StoredTouch[]): Promise<readonly boolean[]> {
  assert.ok(storage.touchMany !== undefined, "the storage has no touchMany");
  return await storage.touchMany(given);
}
