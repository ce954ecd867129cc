import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { record, text } from "@cacheme/test-services/disk/storage-helpers";
import { describe, expect, it } from "vitest";
import { now } from "../src/clock.js";
import { Folder } from "../src/folder.js";
import { SizeBound } from "../src/size-bound.js";
import { Sweep } from "../src/sweep.js";
import { newTicket } from "../src/tickets.js";
import { connected, entriesIn, entryOf, place } from "./place.js";

const hundred = Array.from({ length: 100 }, (_, index) => `${index}`);

/** As many sweeps as it takes to come through all folders. */
async function sweepAll(folder: string): Promise<void> {
  const sweep = new Sweep(new Folder(folder), undefined);
  for (let step = 0; step < 256; step++) await sweep.step();
}

describe("a sweep", () => {
  it("removes what has expired and what is no record, and leaves the rest", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany(hundred.map((key) => record(key, "value", 1)));
    await storage.writeMany([
      record("kept", "kept", 600_000),
      record("always", "always"),
      record("torn", "torn"),
    ]);
    writeFileSync(entryOf(folder, "torn"), "");
    await wait(5);
    await sweepAll(folder);
    expect(entriesIn(folder)).toHaveLength(2);
    expect([await text(storage, "kept"), await text(storage, "always")]).toEqual(["kept", "always"]);
  });

  it("is a sixteenth of the folder", async () => {
    const folder = place();
    await connected(folder);
    const sweep = new Sweep(new Folder(folder), undefined);
    let steps = 1;
    while (await sweep.step()) steps++;
    expect(steps).toBe(16);
  });

  it("leaves the leases that run, and removes those that are over", async () => {
    const folder = place();
    const storage = await connected(folder);
    const answers = await storage.leases!.acquire([
      { key: "runs", duration: 600_000 },
      { key: "is over", duration: 1 },
    ]);
    await wait(5);
    await sweepAll(folder);
    expect(readdirSync(join(folder, "leases"))).toHaveLength(1);
    const fills = answers.map((answer, index) => ({
      ...record(index ? "is over" : "runs", "value"),
      token: answer.outcome === "granted" ? answer.token : "",
    }));
    expect(await storage.leases!.fill(fills)).toEqual([true, false]);
  });

  it("removes what killed processes left half written, once it is old, and nothing else in that folder", async () => {
    const folder = place();
    await connected(folder);
    const temporary = join(folder, "tmp");
    const named = (number: number) => `77-0123456789abcdef-${number}`;
    const ticket = newTicket("lease", 1000, now()).name;
    mkdirSync(join(temporary, named(3)));
    mkdirSync(join(temporary, named(4)));
    mkdirSync(join(temporary, "somebody else's"));
    const old = [
      named(1),
      `${named(3)}/${ticket}`,
      `${named(4)}/notes.txt`,
      "notes.txt",
      "somebody else's/notes",
    ];
    for (const name of [...old, named(2)]) writeFileSync(join(temporary, name), "half");
    const hourAgo = Date.now() / 1000 - 3600;
    for (const name of [...old, named(3), named(4), "somebody else's"])
      utimesSync(join(temporary, name), hourAgo, hourAgo);
    await sweepAll(folder);
    const left = readdirSync(temporary, { recursive: true, encoding: "utf8" }).toSorted();
    expect(left).toEqual(
      [
        named(2),
        named(4),
        `${named(4)}/notes.txt`,
        "notes.txt",
        "somebody else's",
        "somebody else's/notes",
      ].toSorted(),
    );
  });

  it("is made by the storage itself", async () => {
    const folder = place();
    await connected(folder);
    // A sweep begins with these; the entries take sixteen of them.
    const left = join(folder, "tmp", "77-0123456789abcdef-1");
    writeFileSync(left, "half");
    utimesSync(left, Date.now() / 1000 - 3600, Date.now() / 1000 - 3600);
    await connected(folder, { sweepInterval: 1 });
    while (existsSync(left)) await wait(5);
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
  });
});

describe("maxSize", () => {
  const maxSize = 200_000;
  const thirty = hundred.slice(0, 30);

  /** Writes 100 entries of one block each, of which the first is the oldest. */
  async function filled(): Promise<string> {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany(hundred.map((key) => record(key, "value")));
    for (const [index, key] of hundred.entries()) {
      const then = Date.now() / 1000 - 2 ** ((100 - index) / 5);
      utimesSync(entryOf(folder, key), then, then);
    }
    return folder;
  }

  it("removes nothing where there is room", async () => {
    const folder = await filled();
    await new SizeBound(new Folder(folder), 100 * 4096).enforce();
    expect(entriesIn(folder)).toHaveLength(100);
  });

  it("removes what was longest not written, a tenth more than there must be", async () => {
    const folder = await filled();
    await new SizeBound(new Folder(folder), 50 * 4096).enforce();
    expect(entriesIn(folder)).toHaveLength(45);
    const storage = await connected(folder);
    const left = (await storage.readMany(hundred)).map((bytes) => bytes !== undefined);
    expect(left.slice(0, 50)).not.toContain(true);
    expect(left.slice(60)).not.toContain(false);
  });

  it("keeps what is read", async () => {
    const folder = await filled();
    const storage = await connected(folder, { maxSize: 10_000_000 });
    for (let read = 0; read < 40; read++) await text(storage, "0");
    await wait(20);
    await new SizeBound(new Folder(folder), 50 * 4096).enforce();
    expect(await text(storage, "0")).toBe("value");
    expect(await text(storage, "1")).toBeUndefined();
  });

  it("removes what was touched, if that was longest ago", async () => {
    const folder = place();
    const storage = await connected(folder);
    const [touched, later] = [hundred.slice(0, 50), hundred.slice(50)];
    await storage.writeMany(touched.map((key) => record(key, "value", 60_000)));
    await storage.touchMany!(touched.map((key) => ({ key, ttl: 86_400_000 })));
    await wait(500);
    await storage.writeMany(later.map((key) => record(key, "value", 60_000)));
    await new SizeBound(new Folder(folder), 60 * 4096).enforce();
    expect(entriesIn(folder)).toHaveLength(54);
    const left = await storage.readMany(later);
    expect(left.filter(Boolean)).toHaveLength(50);
  });

  it("is kept about while a storage writes", async () => {
    const folder = place();
    const storage = await connected(folder, { maxSize });
    for (let round = 0; round < 4; round++) {
      await storage.writeMany(thirty.map((key) => record(`${round}:${key}`, "value")));
    }
    while (entriesIn(folder).length * 4096 > maxSize) await wait(20);
    expect(entriesIn(folder).length * 4096).toBeGreaterThan(maxSize / 2);
  });

  it("counts what is filled under a lease", async () => {
    const folder = place();
    const storage = await connected(folder, { maxSize });
    for (let round = 0; round < 4; round++) {
      const keys = thirty.map((key) => `${round}:${key}`);
      const answers = await storage.leases!.acquire(keys.map((key) => ({ key, duration: 60_000 })));
      const fills = answers.map((answer, index) => ({
        ...record(keys[index]!, "value"),
        token: answer.outcome === "granted" ? answer.token : "",
      }));
      expect(await storage.leases!.fill(fills)).toEqual(keys.map(() => true));
    }
    while (entriesIn(folder).length * 4096 > maxSize) await wait(20);
    expect(entriesIn(folder).length * 4096).toBeGreaterThan(maxSize / 2);
  });
});
