import assert from "node:assert/strict";
import { performance } from "node:perf_hooks";
import { type Section, section } from "../case.js";
import { pass, readTexts, record, until } from "../expect.js";
import { withSkewedClock } from "../skewed-clock.js";
import type { Trial } from "../subject.js";

const day = 86_400_000;
const tenYears = 10 * 365 * day;

/** The life of records, on the storage's clock. */
export const ttl: Section = section("ttl", {
  "returns a record until it expires, and never after": async (trial) => {
    const { storage, key } = trial;
    const precision = precisionOf(trial);
    const kept = 300 + 2 * precision;
    const writing = performance.now();
    await storage.writeMany([record(key("a"), "A", kept)]);
    const written = performance.now();
    let lastHit = written;
    // The server wrote and read at unknown moments between the start and the end of each call.
    await until(async () => {
      const reading = performance.now();
      const [bytes] = await storage.readMany([key("a")]);
      if (bytes !== undefined) lastHit = reading;
      return bytes === undefined;
    }, "the record expires");
    const wasKept = performance.now() - writing;
    assert.ok(
      wasKept >= kept - precision - 1,
      `expected a record with a ttl of ${kept} ms to be kept, got a miss after ${Math.round(wasKept)} ms`,
    );
    const late = lastHit - written - kept;
    assert.ok(
      late <= precision + 1,
      `expected a miss after the ttl of ${kept} ms, got the record ${Math.round(late)} ms later`,
    );
    await pass(50);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
  },

  "supports a ttl of 1 ms": async (trial) => {
    await trial.storage.writeMany([record(trial.key("a"), "A", 1)]);
    await gone(trial, trial.key("a"));
  },

  "rounds a ttl down to whole milliseconds, but not to 0": async (trial) => {
    await trial.storage.writeMany([
      record(trial.key("a"), "A", 0.5),
      record(trial.key("b"), "B", 60_000.75),
      record(trial.key("c"), "C", 1.5),
    ]);
    await gone(trial, trial.key("a"));
    await gone(trial, trial.key("c"));
    assert.deepEqual(await readTexts(trial.storage, trial.key("b")), ["B"]);
  },

  "supports ttls of days, months and ten years": async ({ storage, key }) => {
    const long = [
      day,
      24.8 * day,
      24.9 * day,
      29.9 * day,
      30 * day,
      30.1 * day,
      50 * day,
      366 * day,
      tenYears,
    ];
    await storage.writeMany(long.map((milliseconds) => record(key(`${milliseconds}`), "kept", milliseconds)));
    await pass(20);
    const found = await readTexts(storage, ...long.map((milliseconds) => key(`${milliseconds}`)));
    assert.deepEqual(
      found,
      long.map(() => "kept"),
    );
  },

  "keeps a record without a ttl": async ({ storage, key }) => {
    await storage.writeMany([{ key: key("a"), bytes: Buffer.from("A"), ttl: undefined }]);
    assert.deepEqual(await readTexts(storage, key("a")), ["A"]);
    assert.equal(await storage.removeMany([key("a")]), 1);
  },

  "keeps each record of a batch for its own ttl": async (trial) => {
    const { storage, key } = trial;
    await storage.writeMany([
      record(key("short"), "S", 1),
      record(key("long"), "L", day),
      { key: key("always"), bytes: Buffer.from("A"), ttl: undefined },
    ]);
    await gone(trial, key("short"));
    assert.deepEqual(await readTexts(storage, key("short"), key("long"), key("always")), [
      undefined,
      "L",
      "A",
    ]);
  },

  "shortens a ttl in an overwrite": async (trial) => {
    await trial.storage.writeMany([record(trial.key("a"), "A", tenYears)]);
    await trial.storage.writeMany([record(trial.key("a"), "A", 20)]);
    await gone(trial, trial.key("a"));
    await trial.storage.writeMany([{ key: trial.key("b"), bytes: Buffer.from("B"), ttl: undefined }]);
    await trial.storage.writeMany([record(trial.key("b"), "B", 20)]);
    await gone(trial, trial.key("b"));
  },

  "lengthens and removes a ttl in an overwrite": async (trial) => {
    const { storage, key } = trial;
    const short = 200 + precisionOf(trial);
    await storage.writeMany([record(key("a"), "old", short), record(key("b"), "old", short)]);
    await storage.writeMany([
      record(key("a"), "new", day),
      { key: key("b"), bytes: Buffer.from("new"), ttl: undefined },
    ]);
    await pass(2 * short);
    assert.deepEqual(await readTexts(storage, key("a"), key("b")), ["new", "new"]);
  },

  "overwrites an expired record": async (trial) => {
    await trial.storage.writeMany([record(trial.key("a"), "old", 1)]);
    await gone(trial, trial.key("a"));
    await trial.storage.writeMany([record(trial.key("a"), "new", day)]);
    assert.deepEqual(await readTexts(trial.storage, trial.key("a")), ["new"]);
  },

  "uses its own clock for ttls, not the client's": async (trial) => {
    const { storage, key } = trial;
    for (const skew of [tenYears, -tenYears]) {
      const [kept, short, before] = [key(`kept${skew}`), key(`short${skew}`), key(`before${skew}`)];
      await storage.writeMany([record(before, "before", 60_000)]);
      await withSkewedClock(skew, async () => {
        await storage.writeMany([record(kept, "kept", 60_000), record(short, "short", 1)]);
        await gone(trial, short);
        assert.deepEqual(await readTexts(storage, kept, before), ["kept", "before"]);
        const fresh = await trial.connected();
        assert.deepEqual(await readTexts(fresh, kept, short, before), ["kept", undefined, "before"]);
      });
      assert.deepEqual(await readTexts(storage, kept, short), ["kept", undefined]);
    }
  },
});

/** Returns the milliseconds by which a record may expire too soon or too late. */
export function precisionOf({ capabilities }: Trial): number {
  return capabilities.ttlPrecision ?? 1;
}

/** Waits until the record has expired. */
export function gone({ storage }: Trial, key: string): Promise<void> {
  return until(async () => (await storage.readMany([key]))[0] === undefined, `the record ${key} expires`);
}
