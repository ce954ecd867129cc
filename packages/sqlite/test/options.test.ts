import { existsSync, readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describeOptions } from "@cacheme/test-services/disk/option-tests";
import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import { sqlite } from "../src/index.js";
import { connected, place } from "./place.js";

describeOptions("sqlite()", sqlite, {
  targets: [
    ["an absolute path", "/var/cache/data.db", "sqlite:///var/cache/data.db"],
    ["a relative path", "data.db", `sqlite://${resolve("data.db")}`],
    ["an absolute address", "sqlite:///var/cache/data.db", "sqlite:///var/cache/data.db"],
    ["a relative address", "sqlite:data.db", `sqlite://${resolve("data.db")}`],
    ["an address with a space in it", "sqlite:///var/a%20b.db", "sqlite:///var/a%20b.db"],
    ["memory", ":memory:", "sqlite::memory:"],
    ["the address of memory", "sqlite::memory:", "sqlite::memory:"],
    ["an object with a file", { file: "/var/cache/data.db" }, "sqlite:///var/cache/data.db"],
  ],
  refused: [
    ["an empty text", "", "as a file"],
    ["an address of something else", "postgres://user:secret@host/db", "address of another kind"],
    ["an address with a host", "sqlite://host/data.db", "write three slashes"],
    ["an address with a query", "sqlite:///data.db?mode=ro", '"%3F"'],
    ["an address with a stray %", "sqlite:///100%.db", '"%25"'],
    ["an address without a file", "sqlite:", "as a file"],
    ["nothing", undefined, "was given undefined"],
    ["a number", 7, "was given 7"],
    ["an object without a file", {}, "connection option file of sqlite() is undefined"],
    ["an object with more than a file", { file: "a", mode: "ro" }, 'no option "mode"'],
  ],
  options: [
    ["driver", "sqlite3", "CACHEME_INVALID_OPTION", '"node:sqlite" or "better-sqlite3"'],
    ["table", 'a"b', "CACHEME_INVALID_OPTION", "option table"],
    ["table", "main.cacheme", "CACHEME_INVALID_OPTION", "without a schema"],
    ["maxSize", 0, "CACHEME_INVALID_OPTION", "a whole number from 1"],
    ["onCorrupt", "warn", "CACHEME_INVALID_OPTION", "Give a function"],
    ["timeout", 7, "CACHEME_INVALID_OPTION", 'no option "timeout"'],
  ],
});

describe("the options of sqlite() that are valid", () => {
  it("open nothing before connect()", () => {
    const file = place();
    sqlite(file);
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it("keep tables apart by their name", async () => {
    const file = place();
    const one = await connected(file, { table: "one" });
    const other = await connected(file, { table: "other" });
    await one.writeMany([record("a", "A")]);
    expect(await text(other, "a")).toBeUndefined();
  });
});

describe("the file", () => {
  it("is made with its folders", async () => {
    const file = place(join("deep", "er", "cache.db"));
    await connected(file);
    expect(existsSync(file)).toBe(true);
  });

  it("keeps what was written for those who come later", async () => {
    const file = place();
    const first = await connected(file);
    await first.writeMany([record("a", "A")]);
    await first.close();
    expect(await text(await connected(file), "a")).toBe("A");
  });

  it("is another one for each storage in memory", async () => {
    const one = await connected(":memory:");
    const other = await connected("sqlite::memory:");
    await one.writeMany([record("a", "A")]);
    expect([await text(one, "a"), await text(other, "a")]).toEqual(["A", undefined]);
  });

  it("is told about by info()", async () => {
    const storage = await connected(place());
    await storage.writeMany([record("a", "A"), record("b", "B")]);
    expect(await storage.info?.()).toMatchObject({
      server: expect.stringMatching(/^SQLite 3\.\d+\.\d+ \((node:sqlite|better-sqlite3)\)$/),
      records: 2,
      bytes: expect.any(Number),
      details: { journal: "wal" },
    });
  });
});
