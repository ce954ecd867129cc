import fs, {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { record, text, until } from "@cacheme/test-services/disk/storage-helpers";
import { KeyPattern, type RemoteStorage } from "cacheme/driver";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Folder } from "../src/folder.js";
import { Sweep } from "../src/sweep.js";
import { connected, entriesIn, entryOf, place } from "./place.js";

/** A head with another length of the value, and more behind it than the first read takes. */
function claim(path: string, length: number): void {
  const spoilt = Buffer.concat([readFileSync(path), Buffer.alloc(200_000)]);
  spoilt.writeUInt32LE(length, 28);
  writeFileSync(path, spoilt);
}

describe("a file that is not as it was written", () => {
  it.each([
    ["cut off in the value", (path: string) => truncateSync(path, readFileSync(path).length - 1)],
    ["cut off in the key", (path: string) => truncateSync(path, 33)],
    ["cut off in its head", (path: string) => truncateSync(path, 7)],
    ["empty", (path: string) => truncateSync(path, 0)],
    ["longer", (path: string) => writeFileSync(path, "more", { flag: "a" })],
    ["somebody else's", (path: string) => writeFileSync(path, "rubbish ".repeat(100))],
    [
      "larger than what is read at first, and somebody else's",
      (path: string) => writeFileSync(path, Buffer.alloc(200_000, 1)),
    ],
    ["larger than what is read at first, with the length of nearly 3 GB", (path: string) => claim(path, 3e9)],
    [
      "larger than what is read at first, with a length that no memory holds",
      (path: string) => claim(path, 0xffffffff),
    ],
  ])("is a miss where it is %s, and is replaced by a write", async (_, spoil) => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    spoil(entryOf(folder, "a"));
    expect(await text(storage, "a")).toBeUndefined();
    await storage.writeMany([record("a", "again")]);
    expect(await text(storage, "a")).toBe("again");
  });

  it("is a miss where any one of its bytes is another", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "value")]);
    const path = entryOf(folder, "a");
    const right = readFileSync(path);
    for (let index = 0; index < right.length; index++) {
      const wrong = Buffer.from(right);
      wrong[index]! ^= 0x10;
      writeFileSync(path, wrong);
      expect(await text(storage, "a"), `byte ${index}`).toBeUndefined();
    }
    writeFileSync(path, right);
    expect(await text(storage, "a")).toBe("value");
  });

  it("is a miss where it is another key's", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A"), record("b", "B")]);
    copyFileSync(entryOf(folder, "a"), entryOf(folder, "b"));
    expect(await text(storage, "b")).toBeUndefined();
    expect(await storage.removeMany(["b"])).toBe(0);
    expect(await text(storage, "a")).toBe("A");
  });
});

describe("a folder that is not as it was left", () => {
  it("is made again where somebody removed it under way", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    rmSync(folder, { recursive: true });
    expect(await text(storage, "a")).toBeUndefined();
    expect(await storage.removeMany(["a"])).toBe(0);
    await storage.writeMany([record("a", "again")]);
    expect(await text(storage, "a")).toBe("again");
    rmSync(folder, { recursive: true });
    const [answer] = await storage.leases!.acquire([{ key: "a", duration: 60_000 }]);
    expect(answer?.outcome).toBe("granted");
  });

  it("keeps what stands in it and is not the storage's", async () => {
    const folder = place();
    const storage = await connected(folder);
    writeFileSync(join(folder, "notes.txt"), "mine");
    mkdirSync(join(folder, "000"), { recursive: true });
    writeFileSync(join(folder, "000", "notes.txt"), "mine too");
    await storage.writeMany([record("a", "A", 1)]);
    await until(async () => (await text(storage, "a")) === undefined);
    const sweep = new Sweep(new Folder(folder), undefined);
    for (let step = 0; step < 256; step++) await sweep.step();
    expect(entriesIn(folder)).toEqual([]);
    expect(readFileSync(join(folder, "notes.txt"), "utf8")).toBe("mine");
    expect(readFileSync(join(folder, "000", "notes.txt"), "utf8")).toBe("mine too");
  });

  it("keeps no temporary file of what was written, filled, refused and changed", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    const [first] = await storage.leases!.acquire([{ key: "b", duration: 60_000 }]);
    await storage.leases!.acquire([{ key: "b", duration: 60_000 }]);
    const token = first?.outcome === "granted" ? first.token : "";
    await storage.leases!.fill([{ ...record("b", "B"), token }]);
    await storage.leases!.fill([{ ...record("b", "B"), token }]);
    await Promise.all(Array.from({ length: 20 }, () => storage.generations!.bump(["tag"], 60_000)));
    expect(readdirSync(join(folder, "tmp"))).toEqual([]);
    expect(readdirSync(join(folder, "leases"))).toEqual([]);
  });
});

describe("what stands in the place of an entry and is none", () => {
  it("is a miss where it is a folder, for its key alone", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    mkdirSync(entryOf(folder, "b"), { recursive: true });
    expect((await storage.readMany(["a", "b"])).map((bytes) => bytes?.length)).toEqual([1, undefined]);
    expect(await storage.removeMany(["a", "b"])).toBe(1);
  });

  it("is a miss where its folder is a file, and no scan fails on it", async () => {
    const folder = place();
    const storage = await connected(folder);
    await storage.writeMany([record("a", "A")]);
    writeFileSync(dirname(entryOf(folder, "b")), "a file where a folder should be");
    expect((await storage.readMany(["a", "b"])).map((bytes) => bytes?.length)).toEqual([1, undefined]);
    const found: string[] = [];
    for await (const page of storage.scan!(KeyPattern.startingWith(""))) found.push(...page);
    expect(found).toEqual(["a"]);
    expect(await storage.removeMany(["a", "b"])).toBe(1);
  });
});

describe("a write that takes longer than it may", () => {
  it("does not bring back what was removed since", async () => {
    const folder = place();
    const storage = await connected(folder);
    const hasty = await connected(folder, { commandTimeout: 20 });
    const { write } = fs;
    let goOn = (): void => {};
    const held = vi.spyOn(fs, "write").mockImplementationOnce(((...given: Parameters<typeof write>) => {
      goOn = () => write(...given);
    }) as typeof write);
    onTestFinished(() => held.mockRestore());
    await expect(hasty.writeMany([record("a", "late")])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
    });
    expect(await storage.removeMany(["a"])).toBe(0);
    goOn();
    await until(() => readdirSync(join(folder, "tmp")).length === 0);
    expect(await text(storage, "a")).toBeUndefined();
  });
});

describe("a token", () => {
  it.each(["../../x", "", "t1-1-../../../../x", "t1-1-0", "l1-1-00000000000000000000000000000000"])(
    "that is none is refused, and is no path: %j",
    async (token) => {
      const folder = place();
      const storage = await connected(folder);
      expect(await storage.leases!.fill([{ ...record("a", "A"), token }])).toEqual([false]);
      expect(await storage.leases!.release([{ key: "a", token }])).toEqual([false]);
      expect(await storage.leases!.extend!([{ key: "a", token, duration: 1 }])).toEqual([false]);
      expect(entriesIn(folder)).toEqual([]);
    },
  );

  it("is taken once where it is given twice at once", async () => {
    const folder = place();
    const [one, other] = [await connected(folder), await connected(folder)];
    for (let round = 0; round < 20; round++) {
      const [answer] = await one.leases!.acquire([{ key: `${round}`, duration: 60_000 }]);
      const token = answer?.outcome === "granted" ? answer.token : "";
      const [first, second] = await Promise.all([
        one.leases!.fill([{ ...record(`${round}`, "one"), token }]),
        other.leases!.fill([{ ...record(`${round}`, "other"), token }]),
      ]);
      expect([first?.[0], second?.[0]].filter(Boolean)).toHaveLength(1);
      expect(await text(one, `${round}`)).toBe(first?.[0] ? "one" : "other");
    }
  });
});

describe("a lease that is extended", () => {
  const minute = 60_000;

  async function leased() {
    const folder = place();
    const [storage, other] = [await connected(folder), await connected(folder)];
    const acquire = async (key = "a") => {
      const [answer] = await other.leases!.acquire([{ key, duration: minute }]);
      return answer?.outcome === "granted" ? answer.token : answer?.outcome;
    };
    return { storage, other, lease: await leaseOf(storage, "a", 50), acquire };
  }

  async function leaseOf(storage: RemoteStorage, key: string, duration = minute) {
    const [answer] = await storage.leases!.acquire([{ key, duration }]);
    if (answer?.outcome !== "granted") throw new Error(`expected a lease, got ${answer?.outcome}`);
    return { key, token: answer.token };
  }

  it("is held beyond its first end, found by a scan, and filled or released with its first token", async () => {
    for (const end of ["fill", "release"] as const) {
      const { storage, other, lease, acquire } = await leased();
      expect(await storage.leases!.extend!([{ ...lease, duration: minute }])).toEqual([true]);
      const over = Date.now() + 60;
      await until(() => Date.now() > over);
      expect(await acquire()).toBe("held");
      const found: string[] = [];
      for await (const page of storage.scan!(KeyPattern.startingWith(""))) found.push(...page);
      expect(found).toEqual(["a"]);
      const held = [{ ...record("a", "A"), ...lease }];
      expect(await other.leases![end](held)).toEqual([true]);
      expect(await other.leases![end](held)).toEqual([false]);
      expect(await text(storage, "a")).toBe(end === "fill" ? "A" : undefined);
    }
  });

  it("is free at an earlier end", async () => {
    const { storage, lease, acquire } = await leased();
    await storage.leases!.extend!([{ ...lease, duration: minute }]);
    expect(await storage.leases!.extend!([{ ...lease, duration: 1 }])).toEqual([true]);
    await until(async () => (await acquire()) !== "held");
    expect(await storage.leases!.extend!([{ ...lease, duration: minute }])).toEqual([false]);
  });

  it("is destroyed by a removal at the same time", async () => {
    const { storage, other } = await leased();
    for (let round = 0; round < 50; round++) {
      const key = `${round}`;
      const lease = await leaseOf(storage, key);
      let isRemoved = false;
      const extensions = (async () => {
        while (!isRemoved) await storage.leases!.extend!([{ ...lease, duration: minute }]);
      })();
      if (round % 2 === 0) await other.removeMany([key]);
      else await other.writeMany([record(key, "written")]);
      expect(await storage.leases!.fill([{ ...record(key, "late"), ...lease }])).toEqual([false]);
      isRemoved = true;
      await extensions;
      expect(await text(storage, key)).toBe(round % 2 === 0 ? undefined : "written");
    }
  });

  it("is filled at the same time", async () => {
    const { storage, other } = await leased();
    for (let round = 0; round < 50; round++) {
      const key = `${round}`;
      const lease = await leaseOf(storage, key);
      const [, filled] = await Promise.all([
        storage.leases!.extend!([{ ...lease, duration: minute }]),
        other.leases!.fill([{ ...record(key, "filled"), ...lease }]),
      ]);
      expect(filled).toEqual([true]);
      expect(await text(storage, key)).toBe("filled");
      expect(await storage.leases!.extend!([{ ...lease, duration: minute }])).toEqual([false]);
    }
  });
});

describe("bytes that the caller has seen", () => {
  it("do not count as fresh, and every other bytes do", async () => {
    const storage = await connected(place());
    await storage.writeMany([record("a", "A")]);
    const request = { key: "a", duration: 60_000 };
    const ask = async (seen?: Uint8Array) =>
      (await storage.leases!.acquire([{ ...request, seen }])).map(({ outcome }) => outcome);
    expect(await ask(Buffer.from("B"))).toEqual(["fresh"]);
    expect(await ask(Buffer.from("A"))).toEqual(["granted"]);
    expect(await ask(Buffer.from("A"))).toEqual(["held"]);
    expect(await ask()).toEqual(["fresh"]);
  });
});

describe("a key whose place cannot be written", () => {
  it("is an error that says so; the other records are stored", async () => {
    const folder = place();
    const storage = await connected(folder);
    const taken = dirname(entryOf(folder, "a"));
    writeFileSync(taken, "a file where a folder should be");
    await expect(storage.writeMany([record("a", "A"), record("b", "B")])).rejects.toMatchObject({
      code: "CACHEME_STORAGE_FAILED",
      keys: new Set(["a"]),
      message: expect.stringContaining("A file stands where the storage wants a folder"),
    });
    expect(await text(storage, "b")).toBe("B");
  });
});
