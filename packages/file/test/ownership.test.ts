import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, resolve } from "node:path";
import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it, onTestFinished } from "vitest";
import { Folder } from "../src/folder.js";
import { file } from "../src/index.js";
import { marker } from "../src/ownership.js";
import { SizeBound } from "../src/size-bound.js";
import { Sweep } from "../src/sweep.js";
import { newTicket } from "../src/tickets.js";
import { connected, entriesIn, entryOf, place } from "./place.js";

const hourAgo = Date.now() / 1000 - 3600;

/** The name of a file that was being written, of another process. */
const halfWritten = "77-0123456789abcdef-1";

/** Everything in a folder, with what is in the files. */
function contentOf(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return entry.isFile() ? `${path}: ${readFileSync(path, "utf8")}` : path;
    })
    .toSorted();
}

async function sweepAll(folder: string): Promise<void> {
  const sweep = new Sweep(new Folder(folder), undefined);
  for (let step = 0; step < 256; step++) await sweep.step();
  await new SizeBound(new Folder(folder), 65_536).enforce();
}

/** A program's folder: with a `tmp` of its own, and files that are called like those of the storage. */
function program(): string {
  const folder = place();
  const hash = new Folder(folder).hash("a");
  for (const name of ["tmp", "leases", hash.slice(0, 3)]) mkdirSync(join(folder, name));
  const ticket = newTicket("lease", 1, 0).name;
  mkdirSync(join(folder, "leases", hash));
  const files = ["package.json", "tmp/upload", `tmp/${halfWritten}`, `leases/${hash}/${ticket}`];
  for (const name of [...files, `${hash.slice(0, 3)}/${hash}`]) {
    writeFileSync(join(folder, name), "the program's");
    utimesSync(join(folder, name), hourAgo, hourAgo);
  }
  return folder;
}

describe("a folder that holds other things", () => {
  it("is refused with what was found and what to do, and is left as it is", async () => {
    const folder = program();
    const before = contentOf(folder);
    const storage = file(folder);
    await expect(storage.connect()).rejects.toMatchObject({
      code: "CACHEME_FOREIGN_DATA",
      message: expect.stringMatching(
        /^file:\/\/\S+ is not a folder of this storage: .*"package\.json".*make an empty file "\.cacheme-file-storage"/,
      ),
    });
    await expect(storage.writeMany([record("a", "A")])).rejects.toMatchObject({
      code: "CACHEME_FOREIGN_DATA",
    });
    await expect(storage.removeMany(["a"])).rejects.toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
    await storage.close();
    await sweepAll(folder);
    expect(contentOf(folder)).toEqual(before);
  });

  it('is refused where it is the working directory, by file(".")', async () => {
    const folder = program();
    const before = contentOf(folder);
    const workingDirectory = process.cwd();
    process.chdir(folder);
    onTestFinished(() => process.chdir(workingDirectory));
    const storage = file(".", { sweepInterval: 1 });
    onTestFinished(() => storage.close());
    await expect(storage.connect()).rejects.toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
    expect(contentOf(folder)).toEqual(before);
  });

  it("shows five names at most, cut and escaped", async () => {
    const folder = place();
    for (let index = 0; index < 20; index++) writeFileSync(join(folder, `${"x".repeat(200)}\n${index}`), "");
    writeFileSync(join(folder, "a\nb"), "");
    const refusal = await file(folder)
      .connect()
      .catch((error: Error) => error.message);
    expect(refusal).toContain("and 16 more");
    expect(refusal).not.toContain("\n");
    expect(String(refusal).length).toBeLessThan(1000);
  });

  it("is taken where the marker is there, and keeps what is not the storage's", async () => {
    const folder = place();
    writeFileSync(join(folder, "notes.txt"), "mine");
    writeFileSync(join(folder, marker), "");
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    await sweepAll(folder);
    expect(await text(storage, "a")).toBe("A");
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
  });

  it("is not taken where the marker is a symbolic link, or a folder", async () => {
    for (const make of [
      (path: string) => symlinkSync("/dev/null", path),
      (path: string) => mkdirSync(path),
    ]) {
      const folder = place();
      make(join(folder, marker));
      await expect(file(folder).connect()).rejects.toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
    }
  });
});

describe("a folder of the storage's own", () => {
  it("is marked before anything else is in it, and opens again", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    expect(readFileSync(join(folder, marker), "utf8")).toContain("belongs to @cacheme/file");
    expect(await text(await connected(folder), "a")).toBe("A");
  });

  it("is made once by many that open it at the same time", async () => {
    const folder = join(place(), "new");
    await Promise.all(Array.from({ length: 20 }, () => connected(folder)));
    expect(readdirSync(folder).toSorted()).toEqual([marker, "leases", "tmp"]);
  });

  it("is neither swept nor made smaller once another folder has its name", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A", 1)]);
    renameSync(folder, `${folder}-moved`);
    onTestFinished(() => rmSync(`${folder}-moved`, { recursive: true }));
    renameSync(program(), folder);
    const before = contentOf(folder);
    await sweepAll(folder);
    expect(contentOf(folder)).toEqual(before);
    await expect(storage.ping()).rejects.toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
  });
});

describe("a symbolic link", () => {
  it("may be the folder itself, where it leads to an empty or a marked one", async () => {
    const target = place();
    const link = join(place(), "link");
    symlinkSync(target, link);
    const storage = await connected(link);
    await storage.writeMany([record("a", "A")]);
    expect(entriesIn(target)).toHaveLength(1);
    expect(await text(await connected(target), "a")).toBe("A");
  });

  it("to a folder that holds other things is refused", async () => {
    const target = program();
    const before = contentOf(target);
    const link = join(place(), "link");
    symlinkSync(target, link);
    await expect(file(link).connect()).rejects.toMatchObject({ code: "CACHEME_FOREIGN_DATA" });
    expect(contentOf(target)).toEqual(before);
  });

  it("that is the folder may be turned elsewhere: nothing is removed there", async () => {
    const link = join(place(), "link");
    symlinkSync(place(), link);
    const storage = await connected(link);
    await storage.writeMany([record("a", "A")]);
    const target = program();
    const before = contentOf(target);
    rmSync(link);
    symlinkSync(target, link);
    await storage.removeMany(["a"]);
    await storage.writeMany([record("a", "again")]);
    await sweepAll(link);
    expect(contentOf(target)).toEqual(before);
  });

  it.each(["tmp", "leases"])(
    "in the place of %s is refused, and nothing is removed behind it",
    async (name) => {
      const folder = place();
      await connected(folder);
      const target = program();
      const before = contentOf(target);
      rmSync(join(folder, name), { recursive: true });
      symlinkSync(join(target, name), join(folder, name));
      await sweepAll(folder);
      await expect(file(folder).connect()).rejects.toMatchObject({
        code: "CACHEME_FOREIGN_DATA",
        message: expect.stringContaining("is a symbolic link"),
      });
      expect(contentOf(target)).toEqual(before);
    },
  );

  it("in the place of a folder of entries: nothing is written, removed or swept behind it", async () => {
    const folder = place();
    const storage = await connected(folder);
    const target = program();
    const before = contentOf(target);
    const shard = dirname(entryOf(folder, "a"));
    symlinkSync(dirname(entryOf(target, "a")), shard);
    await sweepAll(folder);
    const refusal = { keys: new Set(["a"]), message: expect.stringContaining("is a symbolic link") };
    await expect(storage.writeMany([record("a", "A")])).rejects.toMatchObject(refusal);
    await expect(storage.removeMany(["a"])).rejects.toMatchObject(refusal);
    const [answer] = await storage.leases!.acquire([{ key: "a", duration: 60_000 }]);
    const token = answer?.outcome === "granted" ? answer.token : "";
    await expect(storage.leases!.fill([{ ...record("a", "A"), token }])).rejects.toThrow(
      "is a symbolic link",
    );
    expect(contentOf(target)).toEqual(before);
  });

  it("in the place of a key's tickets: none is used or destroyed behind it", async () => {
    const folder = place();
    const storage = await connected(folder);
    const target = place();
    const other = await connected(target);
    const [answer] = await other.leases!.acquire([{ key: "a", duration: 60_000 }]);
    const token = answer?.outcome === "granted" ? answer.token : "";
    const before = contentOf(target);
    symlinkSync(
      new Folder(target).lease(new Folder(target).hash("a")),
      new Folder(folder).lease(new Folder(folder).hash("a")),
    );
    await storage.leases!.release([{ key: "a", token }]);
    expect(await storage.leases!.fill([{ ...record("a", "A"), token }])).toEqual([false]);
    await storage.writeMany([record("a", "A")]);
    await storage.removeMany(["a"]);
    await sweepAll(folder);
    expect(contentOf(target)).toEqual(before);
  });

  it("in the place of an entry is a miss, is never written through, and stays", async () => {
    const folder = place();
    const storage = await connected(folder);
    const target = resolve(place(), "notes.txt");
    await storage.writeMany([record("a", "A")]);
    const entry = entryOf(folder, "a");
    renameSync(entry, target);
    const before = readFileSync(target);
    symlinkSync(target, entry);
    expect(await text(storage, "a")).toBeUndefined();
    await sweepAll(folder);
    expect(await storage.removeMany(["a"])).toBe(0);
    expect(readFileSync(target)).toEqual(before);
    await storage.writeMany([record("a", "again")]);
    expect(await text(storage, "a")).toBe("again");
    expect(readFileSync(target)).toEqual(before);
  });
});
