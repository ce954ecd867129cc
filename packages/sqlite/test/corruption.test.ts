import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { record, text, until } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { CorruptFile } from "../src/index.js";
import { connected, handle, handleOfLibrary, place } from "./place.js";

const many = Array.from({ length: 2000 }, (_, index) => record(`${index}`, `value ${index}`.padEnd(2000)));

/** Writes rubbish over all pages but the first. */
function spoil(file: string): void {
  handle(file).exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const opened = openSync(file, "r+");
  const { size } = fstatSync(opened);
  writeSync(opened, Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
  closeSync(opened);
}

function setAside(file: string): string[] {
  return readdirSync(dirname(file)).filter((name) => /\.corrupt-[^-]+-\d+$/.test(name));
}

/** A database of the storage's, of which everything but the header and the list of tables is rubbish. */
async function spoilt(): Promise<string> {
  const file = place();
  const storage = await connected(file);
  await storage.writeMany(many);
  spoil(file);
  await storage.close();
  return file;
}

describe("a database of the storage's that is damaged", () => {
  it("is set aside and reported, and a new one is made", async () => {
    const file = await spoilt();
    const reports: CorruptFile[] = [];
    const storage = await connected(file, { onCorrupt: (corrupt) => reports.push(corrupt) });
    await storage.writeMany([record("a", "A")]);
    expect(await text(storage, "a")).toBe("A");
    expect(reports).toMatchObject([{ file, error: { message: "database disk image is malformed" } }]);
    expect(setAside(file)).toEqual([basename(reports[0]?.movedTo ?? "")]);
  });

  it("is told of by a warning where nobody else is told", async () => {
    const file = await spoilt();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const storage = await connected(file);
    await storage.writeMany([record("a", "A")]);
    const [message, options] = warn.mock.calls.find(([text]) => String(text).includes(file)) ?? [];
    expect(message).toContain(setAside(file)[0]);
    expect(options).toMatchObject({ code: "CACHEME_CORRUPT_FILE" });
  });

  it("is told of by a warning where who is told throws", async () => {
    const file = await spoilt();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => warn.mockRestore());
    const storage = await connected(file, {
      onCorrupt() {
        throw new Error("of the program's own");
      },
    });
    await storage.writeMany([record("a", "A")]);
    expect(warn.mock.calls.some(([text]) => String(text).includes(file))).toBe(true);
  });

  it("is set aside where a symbolic link leads to it, and the link stays", async () => {
    const file = await spoilt();
    const link = place("link.db");
    symlinkSync(file, link);
    const storage = await connected(link, { onCorrupt() {} });
    await storage.writeMany([record("a", "A")]);
    expect(setAside(file)).toHaveLength(1);
    expect(await text(await connected(file), "a")).toBe("A");
  });
});

describe("a file that is spoilt while it is open", () => {
  it("costs misses and no error", async () => {
    const file = place();
    const reports: CorruptFile[] = [];
    const storage = await connected(file, { onCorrupt: (corrupt) => reports.push(corrupt) });
    await storage.writeMany(many);
    spoil(file);
    const found = await storage.readMany(many.map(({ key }) => key));
    expect(found.every((bytes) => bytes === undefined)).toBe(true);
    expect(reports).toHaveLength(1);
    await storage.writeMany(many);
    expect(await text(storage, "7")).toBe("value 7".padEnd(2000));
  });

  it("is left by the other connections within a moment", async () => {
    const file = place();
    const reports: CorruptFile[] = [];
    const onCorrupt = (corrupt: CorruptFile) => void reports.push(corrupt);
    const [one, other] = [await connected(file, { onCorrupt }), await connected(file, { onCorrupt })];
    await one.writeMany(many);
    expect(await text(other, "7")).toBeDefined();
    spoil(file);
    await one.readMany(many.map(({ key }) => key));
    await one.writeMany([record("7", "in the new file")]);
    await until(async () => (await text(other, "7")) === "in the new file");
    await other.writeMany([record("8", "from the other")]);
    expect(await text(one, "8")).toBe("from the other");
    expect(setAside(file)).toHaveLength(reports.length);
  });

  it("refuses a fill whose lease it took with it", async () => {
    const file = place();
    const storage = await connected(file, { onCorrupt() {} });
    await storage.writeMany(many);
    const [answer] = (await storage.leases?.acquire([{ key: "new", duration: 60_000 }])) ?? [];
    if (answer?.outcome !== "granted") throw new Error("the lease was to be had");
    spoil(file);
    await storage.readMany(many.map(({ key }) => key));
    expect(await storage.leases?.fill([{ ...record("new", "late"), token: answer.token }])).toEqual([false]);
  });

  it("is an error where the handle is the program's own", async () => {
    const file = place();
    const database = handleOfLibrary(file);
    database.exec("PRAGMA cache_size = 10");
    const storage = await connected(database);
    await storage.writeMany(many);
    spoil(file);
    await expect(storage.readMany(many.map(({ key }) => key))).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      message: expect.stringContaining("not a sound database"),
    });
    expect(setAside(file)).toEqual([]);
  });
});

describe("a file that is removed while it is open", () => {
  function removeFile(file: string): void {
    for (const part of ["", "-wal", "-shm"]) rmSync(`${file}${part}`);
  }

  /** A storage on a file that is gone, and another one on the file that has its name now. */
  async function onRemovedFile(file: string) {
    const storage = await connected(file);
    expect(await text(storage, "a")).toBeUndefined();
    removeFile(file);
    return { storage, other: await connected(file) };
  }

  it("is made anew within a moment", async () => {
    const file = place();
    const storage = await connected(file);
    await storage.writeMany([record("a", "A")]);
    removeFile(file);
    await until(async () => (await text(storage, "a")) === undefined);
    await storage.writeMany([record("a", "again")]);
    expect(await text(await connected(file), "a")).toBe("again");
  });

  it("takes no removal with it that others count on", async () => {
    const file = place();
    const { storage, other } = await onRemovedFile(file);
    const [answer] = (await other.leases?.acquire([{ key: "a", duration: 60_000 }])) ?? [];
    if (answer?.outcome !== "granted") throw new Error("the lease was to be had");
    await storage.removeMany(["a"]);
    expect(await other.leases?.fill([{ ...record("a", "old"), token: answer.token }])).toEqual([false]);
  });

  it("grants and changes nothing that others do not see", async () => {
    const file = place();
    const { storage, other } = await onRemovedFile(file);
    await storage.leases?.acquire([{ key: "a", duration: 60_000 }]);
    expect(await other.leases?.acquire([{ key: "a", duration: 60_000 }])).toEqual([{ outcome: "held" }]);
    removeFile(file);
    const third = await connected(file);
    const [bumped] = (await storage.generations?.bump(["tag"], undefined)) ?? [];
    expect(bumped && (await third.generations?.ensure(["tag"], undefined))).toEqual([bumped]);
  });

  it("is not written to when it could not be opened again in time", async () => {
    const file = place();
    await (await connected(file)).writeMany([record("a", "A")]);
    const storage = await connected(file, { commandTimeout: 30 });
    removeFile(file);
    const lock = handle(`${file}-lock`);
    lock.exec("BEGIN EXCLUSIVE");
    await new Promise((resolve) => setTimeout(resolve, 110));
    await expect(storage.writeMany([record("a", "late")])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
    });
    lock.exec("ROLLBACK");
    await until(() => existsSync(file));
    expect(await text(await connected(file), "a")).toBeUndefined();
  });
});
