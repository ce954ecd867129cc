import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";
import { acquire, fill, granted, leasesOf, minute, stale, tokenOf } from "./lease-calls.js";

/** The right to load and to store. */
export const leases: Section = section("leases", {
  "grants one of 50 that ask at once": async (trial) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => trial.connected()));
    for (const name of ["first", "second"]) {
      const answers = await Promise.all(
        Array.from({ length: 50 }, (_, index) => acquire(clients[index % 10], trial.key(name))),
      );
      const outcomes = answers.map(({ outcome }) => outcome);
      assert.equal(outcomes.filter((outcome) => outcome === "granted").length, 1);
      assert.equal(outcomes.filter((outcome) => outcome === "held").length, 49);
    }
  },

  "answers a batch in its order, each key by itself": async ({ storage, key }) => {
    await acquire(storage, key("held"));
    await storage.writeMany([record(key("fresh"), "F")]);
    const answers = await leasesOf(storage).acquire(
      ["free", "held", "fresh", "also free"].map((name) => ({ key: key(name), duration: minute })),
    );
    assert.deepEqual(
      answers.map(({ outcome }) => outcome),
      ["granted", "held", "fresh", "granted"],
    );
  },

  "does nothing for empty batches": async ({ storage }) => {
    assert.deepEqual([...(await leasesOf(storage).acquire([]))], []);
    assert.deepEqual([...(await leasesOf(storage).fill([]))], []);
    assert.equal(await leasesOf(storage).release([]), undefined);
  },

  "gives every lease a token of its own": async ({ storage, key }) => {
    const requests = Array.from({ length: 200 }, (_, index) => ({
      key: key(`${index}`),
      duration: minute,
      steal: true,
    }));
    const first = (await leasesOf(storage).acquire(requests)).map(tokenOf);
    const second = (await leasesOf(storage).acquire(requests)).map(tokenOf);
    for (const [index, token] of first.entries()) assert.notEqual(token, second[index]);
  },

  "is no record by itself": async ({ storage, key }) => {
    await acquire(storage, key("a"));
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
  },

  "stores with the token, and lets everybody read": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    assert.equal(await fill(storage, key("a"), token, "loaded"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["loaded"]);
    assert.equal(await storage.removeMany([key("a")]), 1);
  },

  "stores nothing with another token, or where there is no lease": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    const other = await granted(storage, key("b"));
    assert.equal(await fill(storage, key("a"), other, "wrong"), false);
    assert.equal(await fill(storage, key("a"), "no token at all", "wrong"), false);
    assert.equal(await fill(storage, key("never leased"), token, "wrong"), false);
    assert.deepEqual(await readTexts(storage, key("a"), key("never leased")), [undefined, undefined]);
    assert.equal(await fill(storage, key("a"), token, "right"), true);
  },

  "never takes a token twice": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    assert.equal(await fill(storage, key("a"), token, "once"), true);
    assert.equal(await fill(storage, key("a"), token, "twice"), false);
    assert.deepEqual(await readTexts(storage, key("a")), ["once"]);
  },

  "answers a batch of fills in its order, each key by itself": async ({ storage, key }) => {
    const [a, b, c] = [
      await granted(storage, key("a")),
      await granted(storage, key("b")),
      await granted(storage, key("c")),
    ];
    await storage.removeMany([key("b")]);
    const stored = await leasesOf(storage).fill([
      { ...record(key("a"), "A"), token: a },
      { ...record(key("b"), "B"), token: b },
      { ...record(key("c"), "C"), token: c },
    ]);
    assert.deepEqual([...stored], [true, false, true]);
    assert.deepEqual(await readTexts(storage, key("a"), key("b"), key("c")), ["A", undefined, "C"]);
  },

  "refuses a fill that lands after a removal": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    await storage.removeMany([key("a")]);
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
    const next = await granted(storage, key("a"));
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.equal(await fill(storage, key("a"), next, "new"), true);
  },

  "refuses a fill that lands after a removal of stale bytes": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    assert.equal(await storage.removeMany([key("a")]), 1);
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
  },

  "refuses a fill that lands after a write": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    await storage.writeMany([record(key("a"), "written")]);
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.deepEqual(await readTexts(storage, key("a")), ["written"]);
  },

  "answers with bytes that are fresh": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "fresh")]);
    await storage.writeMany([{ ...record(key("b"), ""), freshFor: minute }]);
    const [a, b] = [await acquire(storage, key("a")), await acquire(storage, key("b"))];
    assert.equal(a.outcome === "fresh" && Buffer.from(a.bytes).toString(), "fresh");
    assert.equal(b.outcome === "fresh" && b.bytes.length, 0);
  },

  "leaves stale bytes to be read while somebody loads": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    assert.deepEqual(await readTexts(storage, key("a")), ["old"]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.equal(await fill(storage, key("a"), token, "new"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
    assert.equal((await acquire(storage, key("a"))).outcome, "fresh");
  },

  "is taken from its holder by steal, and from fresh bytes": async ({ storage, key }) => {
    const old = await granted(storage, key("a"));
    const stolen = await granted(storage, key("a"), { steal: true });
    assert.equal(await fill(storage, key("a"), old, "old"), false);
    assert.equal(await fill(storage, key("a"), stolen, "new"), true);
    const again = await granted(storage, key("a"), { steal: true });
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
    assert.equal(await fill(storage, key("a"), again, "newest"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["newest"]);
  },

  "goes to the last of 50 that steal at once": async (trial) => {
    const { storage, key } = trial;
    const clients = await Promise.all(Array.from({ length: 10 }, () => trial.connected()));
    const tokens = await Promise.all(
      Array.from({ length: 50 }, (_, index) => granted(clients[index % 10], key("a"), { steal: true })),
    );
    const stored = [];
    for (const token of tokens) if (await fill(storage, key("a"), token, token)) stored.push(token);
    assert.equal(stored.length, 1);
    assert.deepEqual(await readTexts(storage, key("a")), stored);
  },

  "is given back by its holder, and by nobody else": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    const other = await granted(storage, key("b"));
    await leasesOf(storage).release([
      { key: key("a"), token: other },
      { key: key("none"), token },
    ]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    await leasesOf(storage).release([{ key: key("a"), token }]);
    assert.deepEqual(await readTexts(storage, key("a")), ["old"]);
    assert.equal(await fill(storage, key("a"), token, "late"), false);
    await granted(storage, key("a"));
    await leasesOf(storage).release([{ key: key("a"), token }]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
  },

  "lets one load of many win, whoever comes when: no removal is lost": async (trial) => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => trial.connected()));
    const key = trial.key("a");
    for (let round = 0; round < 30; round++) {
      const tokens: string[] = [];
      await Promise.all(
        clients.map(async (client, index) => {
          const answer = await acquire(client, key);
          if (answer.outcome === "granted") tokens.push(answer.token);
          if (index === round % 5) await client.removeMany([key]);
        }),
      );
      // Every token so far was destroyed by this removal, so none of them may store.
      await trial.storage.removeMany([key]);
      for (const token of tokens) assert.equal(await fill(trial.storage, key, token, "lost"), false);
      assert.deepEqual(await readTexts(trial.storage, key), [undefined]);
    }
  },
});
