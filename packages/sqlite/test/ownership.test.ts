import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it, onTestFinished } from "vitest";
import { sqlite } from "../src/index.js";
import { applicationId } from "../src/ownership.js";
import { sweep } from "../src/sweep.js";
import { troubleOf } from "../src/trouble.js";
import { connected, handle, place, session } from "./place.js";

const hasty = { connectTimeout: 300, commandTimeout: 300 } as const;

const foreign = { code: "CACHEME_FOREIGN_DATA" } as const;

/** Writes rubbish over a file from a place on. */
function spoil(file: string, from: number): void {
  const opened = openSync(file, "r+");
  writeSync(opened, Buffer.alloc(statSync(file).size - from, 0xa5), 0, undefined, from);
  closeSync(opened);
}

/** A sound database of another program. */
function programs(file: string, sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, note TEXT)"): string {
  const database = handle(file);
  database.exec(sql);
  database.exec("INSERT INTO notes (note) VALUES ('mine')");
  return file;
}

describe("a file that is no database", () => {
  it.each([
    ["a text", Buffer.from("my notes ".repeat(1000))],
    ["short", Buffer.from("my notes")],
    ["binary", Buffer.alloc(10_000, 7)],
    ["nearly a database", Buffer.from("SQLite format 2\0".padEnd(8192, "x"))],
  ])("is refused with what was found, and is left as it is: %s", async (_, content) => {
    const file = place("notes.txt");
    writeFileSync(file, content);
    const storage = sqlite(file);
    onTestFinished(() => storage.close());
    const refusal = {
      ...foreign,
      message: expect.stringMatching(
        /^sqlite:\/\/\S+ cannot be used: expected a SQLite database, found a file of [\d,]+ bytes/,
      ),
    };
    await expect(storage.connect()).rejects.toMatchObject(refusal);
    await expect(storage.writeMany([record("a", "A")])).rejects.toMatchObject(refusal);
    expect(readFileSync(file)).toEqual(content);
    expect(readdirSync(dirname(file)).toSorted()).toEqual(["notes.txt", "notes.txt-lock"]);
  });

  it("shows none of its content, which may be secret", async () => {
    const file = place(".env");
    writeFileSync(file, "PASSWORD=hunter2\n".repeat(100));
    await expect(sqlite(file).connect()).rejects.toMatchObject({
      message: expect.not.stringContaining("hunter2"),
    });
  });

  it("is refused where it takes the place of the storage's file while that is open", async () => {
    const file = place();
    const storage = await connected(file);
    await storage.writeMany([record("a", "A")]);
    handle(file).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    writeFileSync(file, "my notes ".repeat(1000));
    await expect(
      storage.readMany(Array.from({ length: 100 }, (_, index) => `${index}`)),
    ).rejects.toMatchObject(foreign);
    expect(readFileSync(file, "utf8")).toBe("my notes ".repeat(1000));
  });
});

describe("a database of another program", () => {
  it("gets the storage's tables, and keeps its own and its settings", async () => {
    const file = programs(place("app.db"));
    const storage = await connected(file);
    await storage.writeMany([record("a", "A")]);
    expect(await text(storage, "a")).toBe("A");
    const database = handle(file);
    expect(database.prepare("SELECT note AS value FROM notes").values()).toEqual(["mine"]);
    expect(database.prepare("PRAGMA journal_mode").row()).toEqual({ journal_mode: "delete" });
    expect(database.prepare("PRAGMA application_id").row()).toEqual({ application_id: 0 });
  });

  it("is refused where it is damaged, and is left as it is", async () => {
    const file = programs(place("app.db"));
    spoil(file, 100);
    const before = readFileSync(file);
    await expect(sqlite(file, hasty).connect()).rejects.toMatchObject({
      ...foreign,
      message: expect.stringContaining("a damaged SQLite database of another program"),
    });
    expect(readFileSync(file)).toEqual(before);
  });

  it("is refused where it is damaged and shares the storage's file", async () => {
    const file = place();
    await (await connected(file)).close();
    programs(file);
    const storage = await connected(file);
    await storage.writeMany(Array.from({ length: 1000 }, (_, index) => record(`${index}`, "x".repeat(2000))));
    handle(file).exec("PRAGMA wal_checkpoint(TRUNCATE)");
    spoil(file, 4 * 4096);
    await expect(
      storage.readMany(Array.from({ length: 1000 }, (_, index) => `${index}`)),
    ).rejects.toMatchObject({
      ...foreign,
      message: expect.stringContaining("tables of another program (notes)"),
    });
    expect(readdirSync(dirname(file)).filter((name) => name.includes(".corrupt-"))).toEqual([]);
  });

  it.each([
    ["the table", "CREATE TABLE cacheme (id INTEGER PRIMARY KEY, expires INTEGER)", '"cacheme"'],
    ["the table of leases", "CREATE TABLE cacheme_leases (key TEXT, rent INTEGER)", '"cacheme_leases"'],
    ["a view", "CREATE VIEW cacheme AS SELECT 1 AS id", '"cacheme"'],
  ])("is refused where something of it has the name of %s", async (_, sql, name) => {
    const file = place("app.db");
    handle(file).exec(sql);
    await expect(sqlite(file).connect()).rejects.toMatchObject({
      ...foreign,
      message: expect.stringMatching(
        new RegExp(`${name} that is not the storage's: expected the columns key.*found`),
      ),
    });
    await connected(file, { table: "entries" });
  });

  it("is refused where a name is that of another storage's table of leases, or the other way round", async () => {
    const file = place();
    await connected(file);
    await expect(sqlite(file, { table: "cacheme_leases" }).connect()).rejects.toMatchObject(foreign);
    const other = place();
    await connected(other, { table: "cacheme_leases" });
    await expect(sqlite(other).connect()).rejects.toMatchObject(foreign);
  });

  it("keeps its free pages, and is not swept without end for them", async () => {
    const file = programs(place("app.db"));
    const database = handle(file);
    database.exec("INSERT INTO notes (note) SELECT hex(zeroblob(2000)) FROM pragma_function_list LIMIT 500");
    database.exec("DELETE FROM notes");
    const free = () =>
      Number(database.prepare("SELECT freelist_count AS value FROM pragma_freelist_count()").value());
    const before = free();
    expect(before).toBeGreaterThan(100);
    expect(sweep(session(file))).toBe(false);
    expect(free()).toBeGreaterThan(100);
  });
});

describe("the name of the lock", () => {
  it("that something else has is refused, and is left as it is", async () => {
    const file = place("cache.db");
    writeFileSync(`${file}-lock`, "mine");
    await expect(sqlite(file).connect()).rejects.toMatchObject({
      ...foreign,
      message: expect.stringContaining("expected an empty file, found a file of 4 bytes"),
    });
    expect(readFileSync(`${file}-lock`, "utf8")).toBe("mine");
    const other = place("cache.db");
    mkdirSync(`${other}-lock`);
    await expect(sqlite(other).connect()).rejects.toMatchObject(foreign);
  });
});

describe("the storage's files", () => {
  it("are for their owner alone, whatever the umask, the lock and the logs too", async () => {
    const umask = process.umask(0);
    onTestFinished(() => void process.umask(umask));
    const file = place(join("deep", "cache.db"));
    const storage = await connected(file);
    await storage.writeMany([record("a", "A")]);
    const modes = readdirSync(dirname(file)).map((name) => [
      name,
      (statSync(join(dirname(file), name)).mode & 0o777).toString(8),
    ]);
    expect(Object.fromEntries(modes)).toEqual({
      "cache.db": "600",
      "cache.db-lock": "600",
      "cache.db-shm": "600",
      "cache.db-wal": "600",
    });
  });

  it("say whose they are from the first moment on", async () => {
    const file = place();
    await connected(file);
    expect(readFileSync(file).readUInt32BE(68)).toBe(applicationId);
  });

  it("keep the permissions that somebody gave them", async () => {
    const file = place();
    writeFileSync(file, "", { mode: 0o640 });
    await connected(file);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it("are made where a symbolic link leads to, be there a file or none", async () => {
    const file = place();
    const link = place("link.db");
    symlinkSync(file, link);
    const storage = await connected(link);
    await storage.writeMany([record("a", "A")]);
    expect(existsSync(`${link}-lock`)).toBe(false);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await text(await connected(link), "a")).toBe("A");
  });
});

describe("a file that another program has open on Windows", () => {
  it("is waited for like a lock when it is to be renamed", () => {
    for (const code of ["EBUSY", "EPERM", "EACCES"]) {
      const error = Object.assign(new Error(code), { code });
      expect(troubleOf(error, "win32")).toBe("busy");
      expect(troubleOf(error, "linux")).not.toBe("busy");
    }
  });
});

describe("a lock that Deno reports", () => {
  it("is waited for, although its error has only a message", () => {
    expect(troubleOf(new Error("database is locked"))).toBe("busy");
  });

  it("is told by the number of the error, if there is one", () => {
    expect(troubleOf(Object.assign(new Error("database is locked"), { errcode: 1 }))).toBe("other");
  });
});
