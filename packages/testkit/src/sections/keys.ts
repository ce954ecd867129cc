import assert from "node:assert/strict";
import { type Section, section } from "../case.js";
import { readTexts, record, refused } from "../expect.js";

const special = [
  "%",
  "_",
  "*",
  "?",
  "[",
  "]",
  "[a-z]",
  "{}",
  "{user}",
  "'",
  '"',
  "`",
  "\\",
  "\\%",
  "$",
  "^",
  "|",
];
const odd = [
  " ",
  "a ",
  " a",
  "a",
  "A",
  "ä",
  "a\u0308",
  "ß",
  "日本語",
  "😀",
  "/",
  "..",
  "../x",
  ".",
  "a:b",
  "#",
  "&",
  "+",
];

/** The length of the longest key, in UTF-16 units. */
const longest = 2000;

/** The keys of records. */
export const keys: Section = section("keys", {
  "treats special characters of databases literally, and distinguishes all keys": async (trial) => {
    const { storage, key } = trial;
    const names = [...special, ...odd].map(key);
    await storage.writeMany(names.map((name) => record(name, name)));
    assert.deepEqual(await readTexts(storage, ...names), names);
    assert.equal(await storage.removeMany([key("%")]), 1);
    assert.equal(await storage.removeMany([key("_")]), 1);
    assert.equal(await storage.removeMany([key("*")]), 1);
    const left = names.filter((name) => ![key("%"), key("_"), key("*")].includes(name));
    assert.deepEqual(await readTexts(storage, ...left), left);
  },

  "supports keys of one character": async ({ storage }) => {
    const before = await storage.readMany(["~"]);
    await storage.writeMany([record("~", "one")]);
    assert.deepEqual(await readTexts(storage, "~"), ["one"]);
    const [old] = before;
    if (old === undefined) await storage.removeMany(["~"]);
    else await storage.writeMany([{ key: "~", bytes: old, ttl: 60_000 }]);
  },

  "distinguishes long keys that differ only in the last character": async ({ storage, key }) => {
    const names = [199, 200, 249, 250, 251, 255, 767, 768, 1999].flatMap((length) => {
      const stem = key("x".repeat(length)).slice(0, length);
      return [`${stem}a`, `${stem}b`];
    });
    await storage.writeMany(names.map((name) => record(name, name)));
    assert.deepEqual(await readTexts(storage, ...names), names);
  },

  "supports keys of 2,000 characters with three bytes each": async ({ storage, key }) => {
    const stem = key("").padEnd(longest - 1, "語");
    await storage.writeMany([record(`${stem}一`, "one"), record(`${stem}二`, "two")]);
    assert.deepEqual(await readTexts(storage, `${stem}二`, `${stem}一`, stem), ["two", "one", undefined]);
    assert.equal(await storage.removeMany([`${stem}一`]), 1);
    assert.deepEqual(await readTexts(storage, `${stem}二`), ["two"]);
  },

  "refuses invalid keys, and does nothing for their batch": async (trial) => {
    const { storage, key } = trial;
    const good = key("good");
    for (const bad of [
      "",
      key("\n"),
      key("\r"),
      key("\0"),
      key("\u007f"),
      key("\ud800"),
      "x".repeat(longest + 1),
    ]) {
      await refused(storage.writeMany([record(good, "good"), record(bad, "bad")]), "CACHEME_INVALID_KEY");
      await refused(storage.readMany([good, bad]), "CACHEME_INVALID_KEY");
      await refused(storage.removeMany([good, bad]), "CACHEME_INVALID_KEY");
    }
    assert.deepEqual(await readTexts(storage, good), [undefined]);
  },
});
