import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record, until } from "../expect.js";
import { acquire, fill, granted, leasesOf, minute, release, stale } from "./lease-calls.js";

/** Every byte, many times over. */
const manyBytes = Buffer.from(Array.from({ length: 65_536 }, (_, index) => index % 256));

/** Requests for leases by clients that have read unusable bytes. */
export const seenBytes: Section = section("leases", {
  "grants a lease if the fresh bytes are those that the client has seen": async ({ storage, key }) => {
    for (const bytes of [Buffer.from("tagged"), Buffer.alloc(0), Buffer.from([0, 255, 0]), manyBytes]) {
      await storage.writeMany([{ key: key("a"), bytes, ttl: minute }]);
      const token = await granted(storage, key("a"), { seen: bytes });
      const [kept] = await storage.readMany([key("a")]);
      assert.deepEqual(Buffer.from(kept ?? []), bytes);
      assert.equal(await fill(storage, key("a"), token, "new"), true);
      assert.deepEqual(await readTexts(storage, key("a")), ["new"]);
    }
  },

  "returns fresh bytes that differ from those that the client has seen": async ({ storage, key }) => {
    const almost = Buffer.from(manyBytes);
    almost[almost.length - 1] = 0;
    const pairs: readonly (readonly [stored: Buffer, seen: Buffer])[] = [
      [Buffer.from("new"), Buffer.from("old")],
      [Buffer.from("new"), Buffer.from("NEW")],
      [Buffer.from("new"), Buffer.from("new ")],
      [Buffer.from("new"), Buffer.from("ne")],
      [Buffer.from("new"), Buffer.alloc(0)],
      [Buffer.alloc(0), Buffer.from("old")],
      [Buffer.alloc(0), Buffer.alloc(1)],
      [manyBytes, almost],
    ];
    for (const [bytes, seen] of pairs) {
      await storage.writeMany([{ key: key("a"), bytes, ttl: minute }]);
      const answer = await acquire(storage, key("a"), { seen });
      assert.ok(answer.outcome === "fresh", `expected fresh bytes, got "${answer.outcome}"`);
      assert.deepEqual(Buffer.from(answer.bytes), bytes);
    }
  },

  "grants a lease to a client that has seen bytes which are gone or stale": async ({ storage, key }) => {
    await stale(storage, key("stale"), "old");
    for (const name of ["gone", "stale"]) {
      const token = await granted(storage, key(name), { seen: Buffer.from("seen") });
      assert.deepEqual(await readTexts(storage, key(name)), [name === "stale" ? "old" : undefined]);
      assert.equal((await acquire(storage, key(name), { seen: Buffer.from("seen") })).outcome, "held");
      assert.equal(await release(storage, key(name), token), true);
    }
    assert.equal(await storage.removeMany([key("gone"), key("stale")]), 1);
  },

  "holds a lease beside fresh bytes against a client that has seen them": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "seen")]);
    const holder = await granted(storage, key("a"), { seen: Buffer.from("seen") });
    assert.equal((await acquire(storage, key("a"), { seen: Buffer.from("seen") })).outcome, "held");
    assert.equal((await acquire(storage, key("a"), { seen: Buffer.from("other") })).outcome, "fresh");
    assert.equal((await acquire(storage, key("a"))).outcome, "fresh");
    assert.equal(await release(storage, key("a"), holder), true);
    await granted(storage, key("a"), { seen: Buffer.from("seen") });
    assert.deepEqual(await readTexts(storage, key("a")), ["seen"]);
  },

  "steals a lease whatever the client has seen": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A")]);
    const first = await granted(storage, key("a"), { steal: true, seen: Buffer.from("other") });
    const second = await granted(storage, key("a"), { steal: true, seen: Buffer.from("A") });
    assert.equal(await fill(storage, key("a"), first, "first"), false);
    assert.equal(await fill(storage, key("a"), second, "second"), true);
  },

  "compares the seen bytes of a batch with those of each key": async ({ storage, key }) => {
    const names = ["same", "other", "unseen", "absent"];
    await storage.writeMany(names.slice(0, 3).map((name) => record(key(name), name)));
    const answers = await leasesOf(storage).acquire(
      names.map((name) => ({
        key: key(name),
        duration: minute,
        seen: name === "unseen" ? undefined : Buffer.from(name === "other" ? "same" : name),
      })),
    );
    assert.deepEqual(
      answers.map(({ outcome }) => outcome),
      ["granted", "fresh", "fresh", "granted"],
    );
  },

  "lets one of many clients load in place of bytes that all have seen": async (trial) => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => trial.connected()));
    const key = trial.key("a");
    for (let round = 0; round < 20; round++) {
      const [seen, next] = [Buffer.from(`old ${round}`), `new ${round}`];
      await trial.storage.writeMany([{ key, bytes: seen, ttl: minute }]);
      let loads = 0;
      const load = async (client: (typeof clients)[number]): Promise<void> => {
        await until(async () => {
          const answer = await acquire(client, key, { seen });
          if (answer.outcome === "granted") {
            loads += 1;
            assert.equal(await fill(client, key, answer.token, next), true);
          }
          return answer.outcome !== "held";
        }, "the value is there");
      };
      await Promise.all(clients.map(load));
      assert.equal(loads, 1);
      assert.deepEqual(await readTexts(trial.storage, key), [next]);
    }
  },
});
