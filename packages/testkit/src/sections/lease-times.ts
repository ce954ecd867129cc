import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import type { LeaseAnswer } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { readTexts, record, until } from "../expect.js";
import { withSkewedClock } from "../skewed-clock.js";
import type { Trial } from "../subject.js";
import { acquire, fill, granted, leasesOf, minute, release, tokenOf, untilStale } from "./lease-calls.js";
import { gone, precisionOf } from "./ttl.js";

/** Milliseconds by which two readings in whole milliseconds may be wrong. No lease ends earlier. */
export const rounding = 2;

const tenYears = 10 * 365 * 86_400_000;

/** The duration of leases, and the life of the bytes beside them. */
export const leaseTimes: Section = section("leases", {
  "grants an expired lease to the next client only": async ({ storage, key }) => {
    const [first] = await leasesOf(storage).acquire([{ key: key("a"), duration: 50 }]);
    let next: LeaseAnswer | undefined;
    await until(async () => {
      next = await acquire(storage, key("a"));
      return next.outcome === "granted";
    }, "the lease expires");
    assert.equal(await release(storage, key("a"), tokenOf(first)), false);
    assert.equal(await fill(storage, key("a"), tokenOf(first), "late"), false);
    assert.equal(await fill(storage, key("a"), tokenOf(next), "next"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["next"]);
  },

  "treats bytes as fresh for the given time": async (trial) => {
    const { storage, key } = trial;
    const freshFor = 200 + 2 * precisionOf(trial);
    const life = { duration: freshFor, early: precisionOf(trial) + 1 };
    const written = await within(() => storage.writeMany([{ ...record(key("a"), "A"), freshFor }]));
    await grantedAfter(trial, key("a"), life, written);
    const token = await granted(storage, key("b"));
    const filled = await within(() =>
      leasesOf(storage).fill([{ ...record(key("b"), "B"), token, freshFor }]),
    );
    await grantedAfter(trial, key("b"), life, filled);
    assert.deepEqual(await readTexts(storage, key("a"), key("b")), ["A", "B"]);
  },

  "keeps bytes beside a lease for their own ttl": async (trial) => {
    const { storage, key } = trial;
    await storage.writeMany([{ ...record(key("long"), "kept"), freshFor: 1 }]);
    await untilStale(storage, key("long"), 1);
    await storage.writeMany([{ ...record(key("short"), "S", 200 + 2 * precisionOf(trial)), freshFor: 1 }]);
    await untilStale(storage, key("short"), minute);
    await gone(trial, key("short"));
    assert.equal((await acquire(storage, key("short"))).outcome, "held");
    await until(async () => (await acquire(storage, key("long"))).outcome === "granted", "the lease expires");
    assert.deepEqual(await readTexts(storage, key("long")), ["kept"]);
  },

  "accepts a fill after the stale bytes beside its lease have expired": async (trial) => {
    const { storage, key } = trial;
    await storage.writeMany([{ ...record(key("a"), "old", 200 + 2 * precisionOf(trial)), freshFor: 1 }]);
    const token = await untilStale(storage, key("a"), minute);
    await gone(trial, key("a"));
    assert.equal(await fill(storage, key("a"), token, "new"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
  },

  "stores a fill with its ttl": async (trial) => {
    const { storage, key } = trial;
    const [a, b] = [await granted(storage, key("a")), await granted(storage, key("b"))];
    const filled = await leasesOf(storage).fill([
      { ...record(key("a"), "A", 1), token: a },
      { key: key("b"), bytes: Buffer.from("B"), ttl: undefined, token: b },
    ]);
    assert.deepEqual([...filled], [true, true]);
    await gone(trial, key("a"));
    assert.deepEqual(await readTexts(storage, key("b")), ["B"]);
  },

  "uses its own clock for leases, not the client's": async ({ storage, key }) => {
    for (const skew of [tenYears, -tenYears]) {
      const [held, short, filled] = [key(`held${skew}`), key(`short${skew}`), key(`filled${skew}`)];
      const token = await granted(storage, filled);
      await withSkewedClock(skew, async () => {
        await granted(storage, held);
        await leasesOf(storage).acquire([{ key: short, duration: 1 }]);
        assert.equal((await acquire(storage, held)).outcome, "held");
        await until(async () => (await acquire(storage, short)).outcome === "granted", "the lease expires");
        assert.equal(await fill(storage, filled, token, "F"), true);
        assert.equal((await acquire(storage, filled)).outcome, "fresh");
      });
      assert.equal((await acquire(storage, held)).outcome, "held");
      assert.equal((await acquire(storage, filled)).outcome, "fresh");
    }
  },

  "holds a lease for its whole duration": async (trial) => {
    const { storage, key } = trial;
    const duration = 400 + 2 * precisionOf(trial);
    const acquired = await within(() => granted(storage, key("a"), { duration }));
    await grantedAfter(trial, key("a"), { duration, early: rounding }, acquired);
  },
});

/** The start and the end of a call on this process's clock. The server worked in between. */
export interface Span {
  readonly began: number;
  readonly ended: number;
}

export async function within(call: () => Promise<unknown>): Promise<Span> {
  const began = performance.now();
  await call();
  return { began, ended: performance.now() };
}

/**
 * Polls until a lease is granted. Each answer must agree with the time between the two calls: no
 * grant before the duration has passed, and nothing else after it. A slow answer proves less, but
 * never fails.
 *
 * @param early milliseconds by which the grant may be early
 */
export async function grantedAfter(
  trial: Trial,
  key: string,
  { duration, early }: { readonly duration: number; readonly early: number },
  since: Span,
): Promise<void> {
  // A server that counts in steps rounds both the duration and the moment from which it counts.
  const late = 2 * precisionOf(trial) + 1;
  await until(async () => {
    let answer: LeaseAnswer | undefined;
    const asked = await within(async () => {
      answer = await acquire(trial.storage, key);
    });
    const [least, most] = [asked.began - since.ended, asked.ended - since.began];
    if (answer?.outcome === "granted") {
      assert.ok(
        most >= duration - early,
        `expected no lease for ${duration} ms, got one after ${Math.round(most)} ms`,
      );
      return true;
    }
    assert.ok(
      least <= duration + late,
      `expected a lease after ${duration} ms, got "${answer?.outcome}" after ${Math.round(least)} ms`,
    );
    return false;
  }, "a lease is granted");
}
