import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import type { RemoteStorage } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { pass, record, until } from "../expect.js";
import { withSkewedClock } from "../skewed-clock.js";
import type { Trial } from "../subject.js";
import { precisionOf } from "./ttl.js";

const hour = 3_600_000;

/** A moment in September 2001: each clock that counts from the epoch is past it. */
const plausible = 1e12;

/** The storage's clock. */
export const time: Section = section("time", {
  "returns whole milliseconds since the epoch": async ({ storage }) => {
    const told = await storage.time();
    assert.ok(Number.isSafeInteger(told), `expected whole milliseconds, got ${told}`);
    assert.ok(told > plausible, `expected milliseconds since the epoch, got ${told}`);
  },

  "returns a time that advances as fast as the client's clock": async (trial) => {
    const first = await reading(trial.storage);
    await pass(50 + 3 * precisionOf(trial));
    const second = await reading(trial.storage);
    const [least, most] = [second.began - first.ended, second.ended - first.began];
    within(trial, second.told - first.told, [least, most], "the time between two readings");
  },

  "returns the same time to two clients": async (trial) => {
    const other = await trial.connected();
    await sandwiched(trial, "the time for another client", () => other.time());
  },

  "returns its own time even if the client's clock is wrong": async (trial) => {
    for (const skew of [hour, -hour]) {
      await sandwiched(trial, `the time for a client with a clock ${skew} ms ahead`, async () => {
        let told = 0;
        await withSkewedClock(skew, async () => {
          told = await trial.storage.time();
        });
        return told;
      });
      await sandwiched(
        trial,
        `the time for a client that connects with a clock ${skew} ms ahead`,
        async () => {
          let told = 0;
          await withSkewedClock(skew, async () => {
            const fresh = await trial.connected();
            told = await fresh.time();
          });
          return told;
        },
      );
    }
  },

  "returns the clock by which records expire": async (trial) => {
    const { storage, key } = trial;
    const kept = 100 + 2 * precisionOf(trial);
    const before = await storage.time();
    await storage.writeMany([record(key("a"), "A", kept)]);
    const after = await storage.time();
    await until(async () => {
      const asked = await storage.time();
      const [bytes] = await storage.readMany([key("a")]);
      const answered = await storage.time();
      if (bytes === undefined)
        atLeast(trial, answered, before + kept, "the time at which the record was over");
      else atMost(trial, asked, after + kept, "the time at which the record was there");
      return bytes === undefined;
    }, "the record is over");
  },
});

/** For storages with leases: a lease that is granted says when, by the same clock. */
export const leaseTime: Section = section("time", {
  "returns the clock by which leases are granted": async (trial) => {
    const { leases } = trial.storage;
    assert.ok(leases !== undefined, "the storage has leases");
    await sandwiched(trial, "the time of a lease", async () => {
      const [answer] = await leases.acquire([{ key: trial.key("a"), duration: 60_000 }]);
      assert.ok(answer?.outcome === "granted", `expected a granted lease, got ${answer?.outcome}`);
      return answer.at;
    });
  },
});

/** The clock of generations. */
export const generationTime: Section = section("time", {
  "returns the clock by which generations are created": async (trial) => {
    const { generations } = trial.storage;
    assert.ok(generations !== undefined, "the storage has generations");
    await sandwiched(trial, "the time of a generation", async () => {
      const [made] = await generations.bump([trial.key("tag")], 60_000);
      return made?.at;
    });
  },
});

/** Reads the storage's clock, with the start and the end of the call on this process's clock. */
async function reading(
  storage: RemoteStorage,
): Promise<{ readonly told: number; readonly began: number; readonly ended: number }> {
  const began = performance.now();
  const told = await storage.time();
  return { told, began, ended: performance.now() };
}

/**
 * Asserts that a function returns a time between two readings of the storage's clock, or no time.
 */
async function sandwiched(trial: Trial, what: string, act: () => Promise<number | undefined>): Promise<void> {
  const before = await trial.storage.time();
  const told = await act();
  const after = await trial.storage.time();
  if (told !== undefined) within(trial, told, [before, after], what);
}

function within(trial: Trial, told: number, [least, most]: readonly [number, number], what: string): void {
  atLeast(trial, told, least, what);
  atMost(trial, told, most, what);
}

function atLeast(trial: Trial, told: number, least: number, what: string): void {
  assert.ok(told >= least - toleranceOf(trial), `${what}: expected ${least} ms at least, got ${told}`);
}

function atMost(trial: Trial, told: number, most: number, what: string): void {
  assert.ok(told <= most + toleranceOf(trial), `${what}: expected ${most} ms at most, got ${told}`);
}

/**
 * Returns the tolerance for the comparison of two readings. Each is rounded to the steps of the
 * clock.
 */
function toleranceOf(trial: Trial): number {
  return 2 * precisionOf(trial) + 1;
}
