import assert from "node:assert/strict";
import type { LeaseAnswer, RemoteStorage } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { readTexts, record, until } from "../expect.js";
import { withSkewedClock } from "../skewed-clock.js";
import {
  acquire,
  extend,
  fateNames,
  fates,
  fill,
  granted,
  grantedAll,
  leasesOf,
  minute,
  stale,
  tokenOf,
} from "./lease-calls.js";
import { grantedAfter, rounding, within } from "./lease-times.js";
import { gone, precisionOf } from "./ttl.js";

const hour = 3_600_000;

/** The extension of leases. */
export const leaseExtension: Section = section("leases", {
  "extends a lease for its holder": async ({ storage, key }) => {
    const { token, duration } = await extended(storage, key("a"), minute);
    // This lease began after the extended one and ends when that one would have ended, or later.
    await granted(storage, key("control"), { duration });
    await until(
      async () => (await acquire(storage, key("control"))).outcome === "granted",
      "the lease expires",
    );
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.equal(await fill(storage, key("a"), token, "A"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["A"]);
  },

  "holds an extended lease for its new duration, counted from the extension": async (trial) => {
    const { storage, key } = trial;
    const duration = 400 + 2 * precisionOf(trial);
    const token = await granted(storage, key("a"));
    const span = await within(async () => {
      assert.deepEqual([...(await extend(storage, [{ key: key("a"), token, duration }]))], [true]);
    });
    await grantedAfter(trial, key("a"), { duration, early: rounding }, span);
  },

  "extends no lease that has another token, and makes none": async ({ storage, key }) => {
    const other = await granted(storage, key("other"));
    await granted(storage, key("a"), { duration: 200 });
    const asked = [
      { key: key("a"), token: other },
      { key: key("never leased"), token: other },
    ];
    const longer = asked.map((lease) => ({ ...lease, duration: minute }));
    assert.deepEqual([...(await extend(storage, longer))], [false, false]);
    const foreign = { key: key("other"), token: "no token at all", duration: 1 };
    assert.deepEqual([...(await extend(storage, [foreign]))], [false]);
    assert.equal((await acquire(storage, key("other"))).outcome, "held");
    assert.equal((await acquire(storage, key("never leased"))).outcome, "granted");
    await until(async () => (await acquire(storage, key("a"))).outcome === "granted", "the lease expires");
    assert.deepEqual(await readTexts(storage, key("a"), key("never leased")), [undefined, undefined]);
  },

  "answers whether an extended lease was still its holder's": async (trial) => {
    const { storage, key } = trial;
    const { held, thief } = await fates(trial);
    const longer = held.map((lease) => ({ ...lease, duration: hour }));
    assert.deepEqual(
      [...(await extend(storage, longer))],
      fateNames.map((name) => name === "kept"),
    );
    assert.equal(await fill(storage, key("kept"), held[0]?.token ?? "", "K"), true);
    assert.equal(await fill(storage, key("stolen"), thief, "S"), true);
    const outcomes = [];
    for (const name of fateNames) outcomes.push((await acquire(storage, key(name))).outcome);
    assert.deepEqual(outcomes, ["fresh", "granted", "fresh", "fresh", "fresh", "granted"]);
  },

  "extends no expired lease that another client has taken": async ({ storage, key }) => {
    const first = await granted(storage, key("a"), { duration: 50 });
    let next: LeaseAnswer | undefined;
    await until(async () => {
      next = await acquire(storage, key("a"));
      return next.outcome === "granted";
    }, "the lease expires");
    assert.deepEqual([...(await extend(storage, [{ key: key("a"), token: first, duration: 1 }]))], [false]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.equal(await fill(storage, key("a"), tokenOf(next), "next"), true);
  },

  "keeps bytes, their ttl and their freshness beside an extended lease": async (trial) => {
    const { storage, key } = trial;
    await stale(storage, key("stale"), "old");
    await storage.writeMany([
      record(key("fresh"), "fresh"),
      record(key("short"), "S", 200 + 2 * precisionOf(trial)),
    ]);
    const held = await grantedAll(
      storage,
      ["stale", "fresh", "short"].map((name) => ({ key: key(name), duration: minute, steal: true })),
    );
    const longer = held.map((lease) => ({ ...lease, duration: hour }));
    assert.deepEqual([...(await extend(storage, longer))], [true, true, true]);
    assert.deepEqual(await readTexts(storage, key("stale"), key("fresh")), ["old", "fresh"]);
    await gone(trial, key("short"));
    assert.equal((await acquire(storage, key("short"))).outcome, "held");
    assert.deepEqual([...(await leasesOf(storage).release(held))], [true, true, true]);
    assert.equal((await acquire(storage, key("stale"))).outcome, "granted");
    assert.equal((await acquire(storage, key("fresh"))).outcome, "fresh");
    assert.deepEqual(await readTexts(storage, key("stale"), key("short")), ["old", undefined]);
  },

  "extends a batch in its order, each lease by its own duration": async ({ storage, key }) => {
    const held = await grantedAll(
      storage,
      ["a", "b", "c"].map((name) => ({ key: key(name), duration: minute })),
    );
    await storage.removeMany([key("b")]);
    const durations = [1, minute, minute];
    const asked = held.map((lease, index) => ({ ...lease, duration: durations[index] ?? 1 }));
    assert.deepEqual([...(await extend(storage, asked))], [true, false, true]);
    await until(async () => (await acquire(storage, key("a"))).outcome === "granted", "the lease expires");
    assert.equal((await acquire(storage, key("c"))).outcome, "held");
    assert.deepEqual([...(await extend(storage, []))], []);
  },

  "uses its own clock for extensions, not the client's": async ({ storage, key }) => {
    for (const skew of [hour, -hour]) {
      const [long, short] = [key(`long${skew}`), key(`short${skew}`)];
      const held = await grantedAll(
        storage,
        [long, short].map((name) => ({ key: name, duration: minute })),
      );
      await withSkewedClock(skew, async () => {
        const asked = held.map((lease) => ({ ...lease, duration: lease.key === long ? minute : 1 }));
        assert.deepEqual([...(await extend(storage, asked))], [true, true]);
      });
      await until(async () => (await acquire(storage, short)).outcome === "granted", "the lease expires");
      assert.equal((await acquire(storage, long)).outcome, "held");
    }
  },
});

/** Leases that cannot be extended. */
export const noLeaseExtension: Section = section("leases", {
  "has no extension, as declared": async ({ storage }) => {
    assert.equal(leasesOf(storage).extend, undefined);
  },
});

/**
 * Acquires a short lease and extends it. A slow machine may let the lease expire before, so each
 * attempt takes a lease of twice the length.
 *
 * @returns the token, and the duration before the extension
 */
async function extended(
  storage: RemoteStorage,
  key: string,
  to: number,
): Promise<{ readonly token: string; readonly duration: number }> {
  let [token, duration] = ["", 100];
  await until(async () => {
    duration *= 2;
    token = await granted(storage, key, { duration, steal: true });
    const [isExtended] = await extend(storage, [{ key, token, duration: to }]);
    return isExtended === true;
  }, "a lease is extended");
  return { token, duration };
}
