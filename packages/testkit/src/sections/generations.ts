import assert from "node:assert/strict";
import { type Generation, type Generations, generationFrom, type RemoteStorage } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { record, until } from "../expect.js";
import { withSkewedClock } from "../skewed-clock.js";

const hour = 3_600_000;
const tenYears = 10 * 365 * 24 * hour;

/** Generations, which tags are based on. */
export const generations: Section = section("generations", {
  "creates missing generations, and keeps existing ones": async ({ storage, key }) => {
    const keys = [key("a"), key("b")];
    const first = await ensure(storage, keys);
    const again = await ensure(storage, [key("b"), key("c"), key("a")]);
    assert.deepEqual([again[0], again[2]], [first[1], first[0]]);
    assert.equal(new Set([...first, ...again].map(({ id }) => id)).size, 3);
  },

  "returns the same generation to 50 concurrent calls": async (trial) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => trial.connected()));
    const keys = [trial.key("a"), trial.key("b"), trial.key("c")];
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        ensure(clients[index % 10], index % 2 ? keys : keys.toReversed()),
      ),
    );
    const sorted = answers.map((answer, index) => (index % 2 ? answer : answer.toReversed()));
    for (const answer of sorted) assert.deepEqual(answer, sorted[0]);
    assert.deepEqual(await ensure(trial.storage, keys), sorted[0]);
  },

  "returns a generation as a record, in a batch with others": async ({ storage, key }) => {
    await storage.writeMany([record(key("value"), "V")]);
    const [made] = await ensure(storage, [key("tag")]);
    const [missing, value, tag] = await storage.readMany([key("none"), key("value"), key("tag")]);
    assert.equal(generationFrom(missing), undefined);
    assert.equal(generationFrom(value), undefined);
    assert.deepEqual(generationFrom(tag), made);
  },

  "shows a bump to the next read of each client": async (trial) => {
    const [one, other] = [await trial.connected(), await trial.connected()];
    const [before] = await ensure(one, [trial.key("a")]);
    const [bumped] = await bump(other, [trial.key("a")]);
    assert.notEqual(bumped?.id, before?.id);
    const [read] = await one.readMany([trial.key("a")]);
    assert.deepEqual(generationFrom(read), bumped);
    assert.deepEqual(await ensure(one, [trial.key("a")]), [bumped]);
  },

  "bumps missing generations, and several in one call": async ({ storage, key }) => {
    const bumped = await bump(storage, [key("a"), key("b")]);
    assert.deepEqual(await ensure(storage, [key("b"), key("a")]), bumped.toReversed());
  },

  "returns the same generation twice for a key that occurs twice": async ({ storage, key }) => {
    const [one, two] = await ensure(storage, [key("a"), key("a")]);
    assert.deepEqual(one, two);
    const [, last] = await bump(storage, [key("a"), key("a")]);
    assert.deepEqual(await ensure(storage, [key("a")]), [last]);
  },

  "does nothing for empty batches": async ({ storage }) => {
    assert.deepEqual(await ensure(storage, []), []);
    assert.deepEqual(await bump(storage, []), []);
  },

  "never returns a generation with an earlier time": async (trial) => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => trial.connected()));
    let latest = 0;
    for (let round = 0; round < 40; round++) {
      const bumped = await Promise.all(clients.map((client) => bump(client, [trial.key("a")])));
      const [now] = await ensure(trial.storage, [trial.key("a")]);
      assert.ok(now !== undefined && now.at >= latest, "expected no earlier time for a later generation");
      for (const [generation] of bumped) assert.ok(generation !== undefined && generation.at <= now.at);
      latest = now.at;
    }
  },

  "never returns the same id for two generations": async ({ storage, key }) => {
    const ids = new Set<string>();
    for (let round = 0; round < 10; round++) {
      const keys = Array.from({ length: 100 }, (_, index) => key(`${index}`));
      for (const { id } of await bump(storage, keys)) ids.add(id);
    }
    assert.equal(ids.size, 1000);
  },

  "creates another generation after the old one has expired or was removed": async ({ storage, key }) => {
    const [old] = await ensure(storage, [key("a")], 1);
    await until(async () => (await storage.readMany([key("a")]))[0] === undefined, "the generation expires");
    const [next] = await ensure(storage, [key("a")]);
    assert.notEqual(next?.id, old?.id);
    assert.equal(await storage.removeMany([key("a")]), 1);
    const [last] = await ensure(storage, [key("a")]);
    assert.notEqual(last?.id, next?.id);
  },

  "extends a generation's life in ensure, and never shortens it": async ({ storage, key }) => {
    const [made] = await ensure(storage, [key("a")], 5000);
    assert.deepEqual(await ensure(storage, [key("a")], hour), [made]);
    assert.deepEqual(await ensure(storage, [key("a")], 1), [made]);
    await ensure(storage, [key("elapsed")], 1);
    await until(async () => (await storage.readMany([key("elapsed")]))[0] === undefined, "a moment passes");
    assert.deepEqual(await ensure(storage, [key("a")], hour), [made]);
    const [always] = await ensure(storage, [key("always")], undefined);
    assert.deepEqual(await ensure(storage, [key("always")], 1), [always]);
    await ensure(storage, [key("elapsed")], 1);
    await until(async () => (await storage.readMany([key("elapsed")]))[0] === undefined, "a moment passes");
    assert.deepEqual(await ensure(storage, [key("always")], hour), [always]);
  },

  "uses its own clock for generations, not the client's": async ({ storage, key }) => {
    const [right] = await bump(storage, [key("a")]);
    for (const skew of [tenYears, -tenYears]) {
      await withSkewedClock(skew, async () => {
        const [made] = await bump(storage, [key(`${skew}`)]);
        const apart = Math.abs((made?.at ?? 0) - (right?.at ?? 0));
        assert.ok(apart < hour, `expected two generations within a moment, got ${apart} ms between them`);
      });
    }
  },
});

/** The times of generations and leases, which are compared with each other. */
export const grantTimes: Section = section("generations", {
  "gives generations and leases times of the same clock": async ({ storage, key }) => {
    const [before] = await bump(storage, [key("before")]);
    const [answer] = (await storage.leases?.acquire([{ key: key("a"), duration: 60_000 }])) ?? [];
    const [after] = await bump(storage, [key("after")]);
    assert.equal(answer?.outcome, "granted");
    if (answer.at === undefined) return;
    assert.ok(before !== undefined && before.at <= answer.at, "expected a time before the grant's");
    assert.ok(after !== undefined && after.at >= answer.at, "expected a time after the grant's");
  },
});

function generationsOf(storage: RemoteStorage | undefined): Generations {
  assert.ok(storage?.generations !== undefined, "the storage has no generations");
  return storage.generations;
}

async function ensure(
  storage: RemoteStorage | undefined,
  keys: readonly string[],
  ttl: number | undefined = hour,
): Promise<Generation[]> {
  return [...(await generationsOf(storage).ensure(keys, ttl))];
}

async function bump(storage: RemoteStorage | undefined, keys: readonly string[]): Promise<Generation[]> {
  return [...(await generationsOf(storage).bump(keys, hour))];
}
