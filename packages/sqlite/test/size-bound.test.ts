import { record, text, until } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import { connected, handle, handleOfLibrary, place } from "./place.js";

const keys = Array.from({ length: 300 }, (_, index) => `${index}`);
const options = { sweepInterval: 5, commandTimeout: "30s" } as const;

describe("maxSize", () => {
  it("removes the records that were written first, and no lease", async () => {
    const file = place();
    const writing = await connected(file);
    for (let at = 0; at < 300; at += 10) {
      await writing.writeMany(keys.slice(at, at + 10).map((key) => record(key, "value")));
    }
    const [lease] = (await writing.leases?.acquire([{ key: "7", duration: 600_000, steal: true }])) ?? [];
    await writing.writeMany([record("5", "again")]);
    await writing.generations?.bump(["tag"], 600_000);
    const observer = handle(file).prepare("SELECT key AS value FROM cacheme ORDER BY rowid");
    const storage = await connected(file, { ...options, maxSize: 100 });
    await until(() => observer.values().length <= 100);
    expect(observer.values()).toEqual(["5", ...keys.slice(202), "tag"]);
    const token = lease?.outcome === "granted" ? lease.token : "";
    expect(await storage.leases?.fill([{ ...record("7", "filled"), token }])).toEqual([true]);
  });

  it("counts it as a write if a generation is kept for longer", async () => {
    const file = place();
    const storage = await connected(file, { ...options, maxSize: 100 });
    const before = await storage.generations?.ensure(["tag"], 60_000);
    const observer = handle(file);
    const written = observer.prepare("SELECT written AS value FROM cacheme WHERE key = 'tag'");
    const first = Number(written.value());
    await until(() => Date.now() > first + 1);
    expect(await storage.generations?.ensure(["tag"], 600_000)).toEqual(before);
    expect(Number(written.value())).toBeGreaterThan(first);
  });

  it("removes a part of a batch, in small steps between which calls go on, from several storages at once", async () => {
    const file = place();
    const storage = await connected(file, { commandTimeout: "30s" });
    await storage.writeMany(Array.from({ length: 3700 }, (_, index) => record(`${index}`, "value")));
    const observer = handle(file).prepare("SELECT count(*) AS value FROM cacheme");
    const sweeping = Promise.all(keys.slice(0, 4).map(() => connected(file, { ...options, maxSize: 500 })));
    let calls = 0;
    let count = 3700;
    for (let before = count; count > 500; before = count) {
      await new Promise((resolve) => setImmediate(resolve));
      expect(await text(storage, "3699")).toBe("value");
      calls++;
      count = Number(observer.value());
      expect(before - count).toBeLessThanOrEqual(4 * 100);
    }
    await sweeping;
    expect(count).toBe(500);
    expect(calls).toBeGreaterThanOrEqual(8);
  });

  it("takes a table from before, whose records count as the oldest", async () => {
    const file = place();
    const database = handle(file);
    database.exec(`CREATE TABLE cacheme (
      key TEXT NOT NULL PRIMARY KEY, bytes BLOB NOT NULL, expires INTEGER NOT NULL, fresh INTEGER NOT NULL)`);
    const far = Number.MAX_SAFE_INTEGER;
    database.exec(
      `INSERT INTO cacheme VALUES ('old', x'6f6c64', ${far}, ${far}), ('older', x'', ${far}, ${far})`,
    );
    const storage = await connected(file, { ...options, maxSize: 2 });
    expect(await text(storage, "old")).toBe("old");
    await storage.writeMany([record("new", "value"), record("newest", "value")]);
    const left = database.prepare("SELECT key AS value FROM cacheme ORDER BY key");
    await until(() => left.values().length === 2);
    expect(left.values()).toEqual(["new", "newest"]);
  });

  it.each([
    ["in memory", () => ":memory:"],
    ["on a handle of the program's own", () => handleOfLibrary(place())],
  ])("holds %s", async (_, target) => {
    const storage = await connected(target(), { ...options, maxSize: 3 });
    await storage.writeMany(keys.map((key) => record(key, key)));
    await until(async () => (await storage.info?.())?.records === 3);
    expect(await Promise.all(keys.slice(-3).map((key) => text(storage, key)))).toEqual(keys.slice(-3));
  });

  it("costs no index if there is no bound", async () => {
    const file = place();
    await connected(file);
    const indexes = handle(file).prepare(
      "SELECT name AS value FROM sqlite_master WHERE name LIKE '%written'",
    );
    expect(indexes.values()).toEqual([]);
    await connected(file, { maxSize: 1 });
    expect(indexes.values()).toEqual(["cacheme_written"]);
  });
});
