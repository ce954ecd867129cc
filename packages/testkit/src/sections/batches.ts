import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";

/** Many keys in one call. */
export const batches: Section = section("batches", {
  "reads in the order that was asked for, a key as often as it stands there": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A"), record(key("b"), "B")]);
    const found = await readTexts(storage, key("b"), key("none"), key("a"), key("b"));
    assert.deepEqual(found, ["B", undefined, "A", "B"]);
  },

  "answers undefined for a key that it does not have": async ({ storage, key }) => {
    assert.deepEqual(await readTexts(storage, key("none")), [undefined]);
  },

  "does nothing for an empty batch": async ({ storage }) => {
    assert.deepEqual([...(await storage.readMany([]))], []);
    assert.equal(await storage.writeMany([]), undefined);
    assert.equal(await storage.removeMany([]), 0);
  },

  "lets the later one of two records with one key win": async ({ storage, key }) => {
    await storage.writeMany([
      record(key("twice"), "first"),
      record(key("other"), "O"),
      record(key("twice"), "last"),
    ]);
    assert.deepEqual(await readTexts(storage, key("twice"), key("other")), ["last", "O"]);
  },

  "replaces what was there": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "a longer text than the next")]);
    await storage.writeMany([record(key("a"), "short")]);
    assert.deepEqual(await readTexts(storage, key("a")), ["short"]);
  },

  "takes 2,000 records in one batch": async ({ storage, key }) => {
    const names = Array.from({ length: 2000 }, (_, index) => key(`many:${index}`));
    await storage.writeMany(names.map((name) => record(name, `value of ${name}`)));
    const backwards = names.toReversed();
    const found = await readTexts(storage, ...backwards);
    assert.deepEqual(
      found,
      backwards.map((name) => `value of ${name}`),
    );
    assert.equal(await storage.removeMany(names), 2000);
  },

  "shows to one client what another has written and removed": async (trial) => {
    const [one, other] = [await trial.connected(), await trial.connected()];
    await one.writeMany([record(trial.key("a"), "A")]);
    const seen = await readTexts(other, trial.key("a"));
    assert.deepEqual(seen, ["A"], "what create() makes are not clients of the same data, as they must be");
    assert.equal(await other.removeMany([trial.key("a")]), 1);
    assert.deepEqual(await readTexts(one, trial.key("a")), [undefined]);
  },
});
