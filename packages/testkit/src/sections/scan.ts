import assert from "node:assert/strict";
import { KeyPattern, type RemoteStorage } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";
import type { Trial } from "../subject.js";
import { gone } from "./ttl.js";

const manyKeys = 100_000;
const keysAtOnce = 5000;

/** The search for the keys that match a pattern. */
export const scan: Section = section(
  "scan",
  {
    "finds each of many keys while others are written and removed": async (trial) => {
      const { storage, key } = trial;
      const count = trial.capabilities.scannedKeys ?? manyKeys;
      const names = Array.from({ length: count }, (_, index) => key(`many:${index}`));
      for (let start = 0; start < count; start += keysAtOnce) {
        await storage.writeMany(
          names.slice(start, start + keysAtOnce).map((name) => record(name, "v", 600_000)),
        );
      }
      const found = new Set<string>();
      let pages = 0;
      let largestPage = 0;
      for await (const page of scanOf(storage)(KeyPattern.startingWith(key("many:")))) {
        pages++;
        largestPage = Math.max(largestPage, page.length);
        for (const name of page) found.add(name);
        if (pages % 10 === 1) {
          await storage.writeMany([
            record(key(`many:new:${pages}`), "new"),
            record(key(`other:${pages}`), "o"),
          ]);
          await storage.removeMany([key(`many:new:${pages - 10}`)]);
        }
      }
      assert.ok(
        pages >= count / 20_000,
        `expected pages of at most 20,000 keys, got ${pages} pages for ${count} keys`,
      );
      assert.ok(largestPage <= 20_000, `expected at most 20,000 keys in a page, got ${largestPage}`);
      const missing = names.filter((name) => !found.has(name));
      assert.equal(
        missing.length,
        0,
        `expected all ${count} keys, missed ${missing.length} such as ${missing[0]}`,
      );
      const foreign = [...found].filter((name) => !name.startsWith(key("many:")));
      assert.deepEqual(foreign, []);
      for (let start = 0; start < count; start += keysAtOnce) {
        await storage.removeMany(names.slice(start, start + keysAtOnce));
      }
    },

    "treats the literal parts of a pattern literally": async (trial) => {
      const { storage, key } = trial;
      const literal = ["%", "_", "*", "?", "[ab]", "{x}", "\\", "'", '"', "^", ".", "(a|b)", "$", "a+"];
      const names = literal.flatMap((text) => [key(`${text}:1`), key(`x${text}:1`), key(`${text}x:1`)]);
      const decoys = [key("a:1"), key("b:1"), key("xx:1"), key("aa:1"), key("A:1")];
      await storage.writeMany([...names, ...decoys].map((name) => record(name, "v")));
      for (const text of literal) {
        assert.deepEqual(await found(trial, KeyPattern.of(key(`${text}:`), "")), [key(`${text}:1`)], text);
        assert.deepEqual(
          await found(trial, KeyPattern.of(key(text), ":1")),
          [key(`${text}:1`), key(`${text}x:1`)].sort(),
        );
      }
    },

    "finds keys by their beginning, end, middle and as a whole": async (trial) => {
      const { storage, key } = trial;
      const names = [
        "user:1:name",
        "user:2:name",
        "user:1:mail",
        "team:1:name",
        "user:1:NAME",
        "übung:1:name",
      ].map(key);
      await storage.writeMany(names.map((name) => record(name, "v")));
      const [one, two, mail, team, , exercise] = names;
      assert.deepEqual(await found(trial, KeyPattern.of(key("user:"), ":name")), [one, two]);
      assert.deepEqual(
        await found(trial, KeyPattern.of(key(""), ":1:", "name")),
        [exercise, one, team].sort(),
      );
      assert.deepEqual(await found(trial, KeyPattern.of(key("user:1:mail"))), [mail]);
      assert.deepEqual(await found(trial, KeyPattern.startingWith(key("ü"))), [exercise]);
      assert.deepEqual(await found(trial, KeyPattern.startingWith(key(""))), names.toSorted());
      assert.deepEqual(await found(trial, KeyPattern.startingWith(key("none"))), []);
    },

    "finds long keys unchanged": async (trial) => {
      const long = trial.key("語").padEnd(2000, "本");
      await trial.storage.writeMany([record(long, "v")]);
      assert.deepEqual(await found(trial, KeyPattern.startingWith(trial.key("語"))), [long]);
    },

    "does not find expired keys": async (trial) => {
      await trial.storage.writeMany([record(trial.key("a"), "A", 1), record(trial.key("b"), "B")]);
      await gone(trial, trial.key("a"));
      assert.deepEqual(await found(trial, KeyPattern.startingWith(trial.key(""))), [trial.key("b")]);
    },

    "allows callers to leave a scan early, any number of times": async (trial) => {
      const { storage, key } = trial;
      const names = Array.from({ length: 3000 }, (_, index) => key(`${index}`));
      await storage.writeMany(names.map((name) => record(name, "v")));
      for (let round = 0; round < 50; round++) {
        for await (const page of scanOf(storage)(KeyPattern.startingWith(key("")))) {
          assert.ok(page.length <= names.length);
          break;
        }
      }
      assert.deepEqual(await readTexts(storage, key("0")), ["v"]);
    },
  },
  300_000,
);

/** Keys with a lease: a removal by pattern must reach the loads that are under way. */
export const leasesInScans: Section = section("scan", {
  "finds a key that has only a lease, until its removal": async (trial) => {
    const { storage, key } = trial;
    await storage.leases?.acquire([{ key: key("leased"), duration: 60_000 }]);
    assert.deepEqual(await found(trial, KeyPattern.startingWith(key(""))), [key("leased")]);
    await storage.removeMany([key("leased")]);
    assert.deepEqual(await found(trial, KeyPattern.startingWith(key(""))), []);
  },
});

function scanOf(storage: RemoteStorage): (pattern: KeyPattern) => AsyncIterable<readonly string[]> {
  assert.ok(storage.scan !== undefined, "the storage has no scan");
  return storage.scan.bind(storage);
}

/** Returns the keys that match, without duplicates and sorted. */
async function found({ storage }: Trial, pattern: KeyPattern): Promise<string[]> {
  const keys = new Set<string>();
  for await (const page of scanOf(storage)(pattern)) for (const key of page) keys.add(key);
  return [...keys].sort();
}
