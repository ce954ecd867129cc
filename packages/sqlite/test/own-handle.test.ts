import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import { Client } from "../src/client.js";
import type { SqliteDatabase } from "../src/index.js";
import { settings } from "../src/options.js";
import { connected, handle, handleOfLibrary, place } from "./place.js";

/** A handle whose writes fail while the disk is full, which it is until the log was written back. */
function onDisk<T extends SqliteDatabase>(
  database: T,
  disk: { isFull: boolean; readonly isFullForGood?: boolean },
): T {
  const guarded = (sql: string, statement: object): object =>
    new Proxy(statement, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) => {
          if (disk.isFull && /^\s*(?:INSERT|UPDATE|DELETE)/.test(sql)) {
            throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL", errcode: 13 });
          }
          return Reflect.apply(value, target, given);
        };
      },
    });
  return new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (name === "prepare") return (sql: string) => guarded(sql, target.prepare(sql));
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        if (/wal_checkpoint/.test(String(given[0])) && disk.isFullForGood !== true) disk.isFull = false;
        return Reflect.apply(value, target, given);
      };
    },
  });
}

describe("a handle of the program's own", () => {
  it("is used, and not closed with the storage", async () => {
    const database = handleOfLibrary(place());
    const storage = await connected(database);
    await storage.writeMany([record("a", "A")]);
    await storage.close();
    expect(database.prepare("SELECT key FROM cacheme").all()).toMatchObject([{ key: "a" }]);
  });

  it("keeps its own settings", async () => {
    const database = handleOfLibrary(place());
    const storage = await connected(database);
    expect((await storage.info?.())?.details).toMatchObject({ journal: "delete" });
  });

  it("is not taken together with a driver", async () => {
    const database = handleOfLibrary(":memory:");
    await expect(connected(database, { driver: "better-sqlite3" })).rejects.toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });

  it("reports a full disk, and goes on with what there is", async () => {
    const database = handleOfLibrary(place());
    const storage = await connected(database);
    await storage.writeMany([record("a", "A")]);
    database.exec("PRAGMA max_page_count = 20");
    const large = { key: "b", bytes: Buffer.alloc(200_000), ttl: undefined };
    await expect(storage.writeMany([record("a", "new"), large])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining("Make room on the disk"),
    });
    expect(await text(storage, "a")).toBe("A");
    await storage.writeMany([record("c", "C")]);
    expect(await text(storage, "c")).toBe("C");
  });

  it("loses the generations that a full disk does not let it change", async () => {
    const database = handleOfLibrary(place());
    const { generations } = await connected(database);
    const [before] = await generations!.ensure(["tag"], undefined);
    database.exec("PRAGMA max_page_count = 20");
    const tags = ["tag", ...Array.from({ length: 2000 }, (_, index) => `other:${index}`)];
    const bumped = await generations!.bump(tags, undefined);
    expect(new Set(bumped.map(({ id }) => id)).size).toBe(2001);
    const [after] = await generations!.ensure(["tag"], undefined);
    expect(after?.id).not.toBe(before?.id);
    expect(after?.at).toBeGreaterThanOrEqual(before!.at);
  });

  it("writes the log back on a full disk, where it cannot grow", async () => {
    const database = handleOfLibrary(place());
    database.exec("PRAGMA journal_mode = WAL");
    const disk = { isFull: false };
    const { generations } = await connected(onDisk(database, disk));
    const [before] = await generations!.ensure(["tag"], undefined);
    disk.isFull = true;
    const [bumped] = await generations!.bump(["tag"], undefined);
    expect(bumped?.id).not.toBe(before?.id);
    const [after] = await generations!.ensure(["tag"], undefined);
    expect(after?.id).not.toBe(before?.id);
  });

  it("rejects a bump if the full disk lets no row go either", async () => {
    const database = handleOfLibrary(place());
    const disk = { isFull: false, isFullForGood: true };
    const { generations } = await connected(onDisk(database, disk));
    const [before] = await generations!.ensure(["tag"], undefined);
    disk.isFull = true;
    await expect(generations!.bump(["tag"], undefined)).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining("Make room on the disk"),
    });
    disk.isFull = false;
    expect((await generations!.ensure(["tag"], undefined))[0]).toEqual(before);
  });

  it("stays open if the storage is closed while it waits for a lock", async () => {
    const file = place();
    const database = handleOfLibrary(file);
    database.exec("PRAGMA busy_timeout = 0");
    const other = handle(file);
    other.exec("BEGIN EXCLUSIVE");
    const client = new Client(settings(database, { connectTimeout: "30s" }));
    const opening = client.open();
    client.close();
    other.exec("ROLLBACK");
    await opening;
    expect(database.prepare("SELECT 1 AS one").all()).toMatchObject([{ one: 1 }]);
  });

  it("makes the tables again where somebody dropped them", async () => {
    const database = handleOfLibrary(place());
    const storage = await connected(database);
    await storage.writeMany([record("a", "A")]);
    database.exec("DROP TABLE cacheme; DROP TABLE cacheme_leases");
    expect(await text(storage, "a")).toBeUndefined();
    await storage.writeMany([record("a", "again")]);
    expect(await text(storage, "a")).toBe("again");
  });
});
