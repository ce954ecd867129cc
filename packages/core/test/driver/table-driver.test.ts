import { describe, expect, it, vi } from "vitest";
import {
  type Driver,
  KeyPattern,
  LongKeys,
  type StorageCall,
  type Table,
  tableDriver,
} from "../../src/driver.js";

const longKeys = new LongKeys({ longest: 60, kept: 20 });
const long = "k".repeat(100);
const call = {} as StorageCall;

/** A table that keeps bytes by indexed key, and answers in an order of its own. */
function couch(overrides: Partial<Table<number>> = {}): { driver: Required<Driver>; asked: unknown[] } {
  const stored = new Map<string, Buffer>();
  const asked: unknown[] = [];
  const answer = async (rows: readonly { readonly indexed: string }[]) =>
    rows.filter(({ indexed }) => indexed !== "lost").map(({ indexed }) => [indexed]);
  const table: Table<number> = {
    longKeys,
    maxSize: undefined,
    open: async () => {},
    close: async () => {},
    ping: async () => {},
    time: async () => 1,
    read: async (keys) =>
      [...stored].filter(([key]) => keys.includes(key)).map(([key, bytes]) => [Buffer.from(key), bytes]),
    async write(rows) {
      asked.push(rows.map(({ indexed, longKey }) => [indexed, longKey]));
      for (const { indexed, item } of rows) stored.set(indexed, Buffer.from(item.bytes));
    },
    async remove(keys) {
      asked.push(keys);
      return keys.length;
    },
    async page({ from, end }) {
      const keys = [...stored.keys()]
        .filter((key) => key >= from && key < end)
        .sort()
        .slice(0, 2);
      return { keys, last: keys.length < 2 ? undefined : keys[1] };
    },
    acquire: async (rows) =>
      rows
        .filter(({ indexed }) => indexed !== "lost")
        .flatMap(({ indexed }) => [
          ...(indexed === "fresh" ? [] : [[indexed, "1", null]]),
          ...(indexed === "z" ? [] : [[indexed, null, Buffer.from("F")]]),
        ]),
    touch: answer,
    fill: answer,
    release: answer,
    extend: answer,
    ensure: async (rows) => rows.map(({ indexed, item }) => [indexed, Buffer.from(`${item.id}@1`)]),
    bump: async (rows) => rows.map(({ indexed, item }) => [indexed, Buffer.from(`${item.id}@2`)]),
    expire: async () => false,
    written: () => ({ find: async () => undefined, removeUpTo: async () => false }),
    ...overrides,
  };
  // The driver of a table has every method.
  return { driver: tableDriver(table) as Required<Driver>, asked };
}

const record = (key: string) => ({ key, bytes: Buffer.from(key), ttl: undefined });

describe("the driver of a table", () => {
  it("stores and reads under indexed keys, in the order of the locks and of the batch", async () => {
    const { driver, asked } = couch();
    await driver.write(["b", long, "a"].map(record), call);
    expect(asked).toEqual([
      [
        ["a", undefined],
        ["b", undefined],
        [longKeys.indexed(long), long],
      ],
    ]);
    const found = await driver.read([long, "none", "a", "b"], call);
    expect(found.map((bytes) => bytes && Buffer.from(bytes).toString())).toEqual([long, undefined, "a", "b"]);
  });

  it("removes indexed keys in the order of the locks", async () => {
    const { driver, asked } = couch();
    expect(await driver.remove(["b", long, "a"], call)).toBe(3);
    expect(asked).toEqual([["a", "b", longKeys.indexed(long)]]);
  });

  it("answers leases in the order of the batch, and holds those without an answer", async () => {
    const { driver } = couch();
    const held = ["z", "lost", long].map((key) => ({ key, token: key, duration: 1 }));
    const requests = held.map((one) => ({ ...one, steal: false, seen: undefined }));
    const fresh = { ...requests[0]!, key: "fresh" };
    const stolen = requests.map((one) => ({ ...one, steal: true }));
    expect(await driver.acquire([...requests, fresh], call)).toEqual([
      { outcome: "granted", token: "z", at: 1 },
      { outcome: "held" },
      { outcome: "granted", token: long, at: 1 },
      { outcome: "fresh", bytes: Buffer.from("F") },
    ]);
    expect(await driver.acquire([{ ...fresh, seen: Buffer.from("F") }], call)).toEqual([{ outcome: "held" }]);
    expect((await driver.acquire(stolen, call))[1]).toEqual({ outcome: "granted", token: "lost" });
    expect(await driver.release(held, call)).toEqual([true, false, true]);
    expect(await driver.extend(held, call)).toEqual([true, false, true]);
    const records = held.map((one) => ({ ...one, ...record(one.key) }));
    expect(await driver.fill(records, call)).toEqual([true, false, true]);
  });

  it("reads generations in the order of the tags", async () => {
    const { driver } = couch();
    const tags = ["t", long].map((key, place) => ({ key, id: `${place}` }));
    expect(await driver.ensure(tags, 1, call)).toEqual(tags.map(({ id }) => ({ id, at: 1 })));
    expect(await driver.bump(tags, 1, call)).toEqual(tags.map(({ id }) => ({ id, at: 2 })));
  });

  it("scans pages of the keys with a prefix, each after the last key of the page before", async () => {
    const { driver } = couch();
    await driver.write(["u:1", "u:2", "u:3", "v:1", "t:1"].map(record), call);
    const pages = [];
    for await (const page of driver.scan(KeyPattern.startingWith("u:"), (read) => read(call)))
      pages.push(page);
    expect(pages).toEqual([["u:1", "u:2"], ["u:3"]]);
  });

  it("removes what has expired before it keeps its bound", async () => {
    let expired = 2;
    const find = vi.fn(async () => undefined);
    const overrides: Partial<Table<number>> = {
      expire: async () => --expired > 0,
      written: () => ({ find, removeUpTo: async () => false }),
    };
    const { driver } = couch({ ...overrides, maxSize: 10 });
    expect(await driver.sweep(call)).toBe(true);
    expect(find).not.toHaveBeenCalled();
    expect(await driver.sweep(call)).toBe(false);
    expect(find).toHaveBeenCalledTimes(1);
    const { driver: unbound } = couch(overrides);
    expect(await unbound.sweep(call)).toBe(false);
    expect(find).toHaveBeenCalledTimes(1);
  });
});
