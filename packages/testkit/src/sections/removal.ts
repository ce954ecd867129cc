import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record } from "../expect.js";
import { gone } from "./ttl.js";

/** Removals, which must never be lost. */
export const removal: Section = section("removal", {
  "counts the removed records": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A"), record(key("b"), "B"), record(key("c"), "C")]);
    assert.equal(await storage.removeMany([key("a"), key("none"), key("b")]), 2);
    assert.deepEqual(await readTexts(storage, key("a"), key("b"), key("c")), [undefined, undefined, "C"]);
  },

  "counts a key once, even if it occurs twice": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A")]);
    assert.equal(await storage.removeMany([key("a"), key("a")]), 1);
  },

  "counts nothing in a second removal": async ({ storage, key }) => {
    await storage.writeMany([record(key("a"), "A")]);
    assert.equal(await storage.removeMany([key("a")]), 1);
    assert.equal(await storage.removeMany([key("a")]), 0);
  },

  "does not count expired records": async (trial) => {
    await trial.storage.writeMany([record(trial.key("a"), "A", 1), record(trial.key("b"), "B")]);
    await gone(trial, trial.key("a"));
    assert.equal(await trial.storage.removeMany([trial.key("a"), trial.key("b")]), 1);
  },

  "removes a record with an empty value": async ({ storage, key }) => {
    await storage.writeMany([record(key("empty"), "")]);
    assert.equal(await storage.removeMany([key("empty")]), 1);
    assert.deepEqual(await readTexts(storage, key("empty")), [undefined]);
  },

  "keeps the order of a client's calls": async ({ storage, key }) => {
    for (let round = 0; round < 20; round++) {
      await storage.writeMany([record(key("a"), `${round}`)]);
      assert.deepEqual(await readTexts(storage, key("a")), [`${round}`]);
      assert.equal(await storage.removeMany([key("a")]), 1);
      assert.deepEqual(await readTexts(storage, key("a")), [undefined]);
    }
  },
});
