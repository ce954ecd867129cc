import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";
import {
  acquire,
  fateNames,
  fates,
  fill,
  granted,
  leasesOf,
  minute,
  release,
  stale,
  tokenOf,
} from "./lease-calls.js";

/** Leases: the right to load and to store. */
export const leases: Section = section("leases", {
  "grants one of 50 concurrent requests": async (trial) => {
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

  "answers a batch in its order, each key independently": async ({ storage, key }) => {
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
    assert.deepEqual([...(await leasesOf(storage).release([]))], []);
  },

  "gives each lease a different token": async ({ storage, key }) => {
    const requests = Array.from({ length: 200 }, (_, index) => ({
      key: key(`${index}`),
      duration: minute,
      steal: true,
    }));
    const first = (await leasesOf(storage).acquire(requests)).map(tokenOf);
    const second = (await leasesOf(storage).acquire(requests)).map(tokenOf);
    for (const [index, token] of first.entries()) assert.notEqual(token, second[index]);
  },

  "does not return a lease as a record": async ({ storage, key }) => {
    await acquire(storage, key("a"));
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
  },

  "stores a fill with the token, and lets every client read it": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    assert.equal(await fill(storage, key("a"), token, "loaded"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["loaded"]);
    assert.equal(await storage.removeMany([key("a")]), 1);
  },

  "stores nothing with another token or without a lease": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    const other = await granted(storage, key("b"));
    assert.equal(await fill(storage, key("a"), other, "wrong"), false);
    assert.equal(await fill(storage, key("a"), "no token at all", "wrong"), false);
    assert.equal(await fill(storage, key("never leased"), token, "wrong"), false);
    assert.deepEqual(await readTexts(storage, key("a"), key("never leased")), [undefined, undefined]);
    assert.equal(await fill(storage, key("a"), token, "right"), true);
  },

  "accepts a token only once": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    assert.equal(await fill(storage, key("a"), token, "once"), true);
    assert.equal(await fill(storage, key("a"), token, "twice"), false);
    assert.deepEqual(await readTexts(storage, key("a")), ["once"]);
  },

  "answers a batch of fills in its order, each key independently": async ({ storage, key }) => {
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

  "refuses a fill after a removal": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    await storage.removeMany([key("a")]);
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
    const next = await granted(storage, key("a"));
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.equal(await fill(storage, key("a"), next, "new"), true);
  },

  "refuses a fill after a removal of stale bytes": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    assert.equal(await storage.removeMany([key("a")]), 1);
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
  },

  "refuses a fill after a write": async ({ storage, key }) => {
    const token = await granted(storage, key("a"));
    await storage.writeMany([record(key("a"), "written")]);
    assert.equal(await fill(storage, key("a"), token, "stale"), false);
    assert.deepEqual(await readTexts(storage, key("a")), ["written"]);
  },

  "returns fresh bytes instead of a lease": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "fresh")]);
    await storage.writeMany([{ ...record(key("b"), ""), freshFor: minute }]);
    const [a, b] = [await acquire(storage, key("a")), await acquire(storage, key("b"))];
    assert.equal(a.outcome === "fresh" && Buffer.from(a.bytes).toString(), "fresh");
    assert.equal(b.outcome === "fresh" && b.bytes.length, 0);
  },

  "returns stale bytes while a client loads": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    assert.deepEqual(await readTexts(storage, key("a")), ["old"]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.equal(await fill(storage, key("a"), token, "new"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
    assert.equal((await acquire(storage, key("a"))).outcome, "fresh");
  },

  "steals a lease from its holder, and despite fresh bytes": async ({ storage, key }) => {
    const old = await granted(storage, key("a"));
    const stolen = await granted(storage, key("a"), { steal: true });
    assert.equal(await fill(storage, key("a"), old, "old"), false);
    assert.equal(await fill(storage, key("a"), stolen, "new"), true);
    const again = await granted(storage, key("a"), { steal: true });
    assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
    assert.equal(await fill(storage, key("a"), again, "newest"), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["newest"]);
  },

  "accepts only one token of 50 concurrent steals": async (trial) => {
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

  "releases a lease for its holder only": async ({ storage, key }) => {
    await stale(storage, key("a"), "old");
    const token = await granted(storage, key("a"));
    const other = await granted(storage, key("b"));
    const answers = await leasesOf(storage).release([
      { key: key("a"), token: other },
      { key: key("none"), token },
    ]);
    assert.deepEqual([...answers], [false, false]);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
    assert.equal(await release(storage, key("a"), token), true);
    assert.deepEqual(await readTexts(storage, key("a")), ["old"]);
    assert.equal(await fill(storage, key("a"), token, "late"), false);
    await granted(storage, key("a"));
    assert.equal(await release(storage, key("a"), token), false);
    assert.equal((await acquire(storage, key("a"))).outcome, "held");
  },

  "answers whether a released lease was still its holder's": async (trial) => {
    const { storage, key } = trial;
    const { held } = await fates(trial);
    assert.deepEqual(
      [...(await leasesOf(storage).release(held))],
      fateNames.map((name) => name === "kept"),
    );
    assert.deepEqual(await readTexts(storage, ...fateNames.map(key)), [
      undefined,
      undefined,
      "W",
      undefined,
      "F",
      undefined,
    ]);
    assert.equal((await acquire(storage, key("stolen"))).outcome, "held");
  },

  "answers that a lease was its holder's to one of 50 releases": async (trial) => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => trial.connected()));
    const token = await granted(trial.storage, trial.key("a"));
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        release(clients[index % 10] ?? trial.storage, trial.key("a"), token),
      ),
    );
    assert.equal(answers.filter(Boolean).length, 1);
  },

  "accepts no fill of a load that began before a removal": async (trial) => {
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
      // This removal has destroyed all tokens so far, so no token may store.
      await trial.storage.removeMany([key]);
      for (const token of tokens) assert.equal(await fill(trial.storage, key, token, "lost"), false);
      assert.deepEqual(await readTexts(trial.storage, key), [undefined]);
    }
  },
});
