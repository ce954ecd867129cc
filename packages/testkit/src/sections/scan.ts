import assert from "node:assert/strict";
import { KeyPattern, type RemoteStorage } from "cacheme/driver";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";
import type { Trial } from "../subject.js";
import { gone } from "./ttl.js";

const manyKeys = 100_000;
const keysAtOnce = 5000;

/** The keys that match a pattern. */
export const scan: Section = section(
  "scan",
  {
    "finds every key of very many while others are written and removed": async (trial) => {
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
      assert.ok(pages >= count / 20_000, `${count} keys came in ${pages} pages`);
      assert.ok(largestPage <= 20_000, `a page had ${largestPage} keys`);
      const missing = names.filter((name) => !found.has(name));
      assert.equal(
        missing.length,
        0,
        `${missing.length} of ${count} keys were not found, such as ${missing[0]}`,
      );
      const foreign = [...found].filter((name) => !name.startsWith(key("many:")));
      assert.deepEqual(foreign, []);
      for (let start = 0; start < count; start += keysAtOnce) {
        await storage.removeMany(names.slice(start, start + keysAtOnce));
      }
    },

    "takes nothing in a pattern but its gaps for more than itself": async (trial) => {
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

    "finds by beginning, by end, by what lies between, and by the whole key": async (trial) => {
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

    "finds long keys as they are": async (trial) => {
      const long = trial.key("語").padEnd(2000, "本");
      await trial.storage.writeMany([record(long, "v")]);
      assert.deepEqual(await found(trial, KeyPattern.startingWith(trial.key("語"))), [long]);
    },

    "does not find what has expired": async (trial) => {
      await trial.storage.writeMany([record(trial.key("a"), "A", 1), record(trial.key("b"), "B")]);
      await gone(trial, trial.key("a"));
      assert.deepEqual(await found(trial, KeyPattern.startingWith(trial.key(""))), [trial.key("b")]);
    },

    "can be left early, as often as one likes": async (trial) => {
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

/** For storages that have both: a removal by pattern has to reach the loads that are under way. */
export const leasesInScans: Section = section("scan", {
  "finds a key that only a lease stands under, until it is removed": async (trial) => {
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

/** The keys that match, each once and in order. */
async function found({ storage }: Trial, pattern: KeyPattern): Promise<string[]> {
  const keys = new Set<string>();
  for await (const page of scanOf(storage)(pattern)) for (const key of page) keys.add(key);
  return [...keys].sort();
}
