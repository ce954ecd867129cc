import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Answer } from "../src/answers.js";
import { isHashed, itemName } from "../src/item-name.js";
import { bytesOf, itemData, itemOf, leaseFields, never } from "../src/record.js";

const hashed = itemName("a key with spaces");

function answer(data: Uint8Array, flags: number, left: number): Answer {
  const made = new Answer("VA");
  made.bytes = Buffer.from(data);
  made.flags = flags;
  made.left = left;
  made.cas = "7";
  return made;
}

function written(
  name: string,
  key: string,
  value: string,
  times: Parameters<typeof itemData>[3] = {},
): [Buffer, number] {
  const { flags, pieces, length } = itemData(name, key, Buffer.from(value), times);
  const data = Buffer.concat(pieces);
  expect(data.length).toBe(length);
  return [data, flags];
}

describe("the name of an item", () => {
  it("is the key if a server accepts it", () => {
    for (const key of ["a", "app:user:7", "%_*?[]{}'\"\\", "x".repeat(250), "a#b"])
      expect(itemName(key)).toBe(key);
  });

  it("is a hash if a server refuses the key, or the key looks like a hash", () => {
    for (const key of ["a b", " ", "ä", "語", "x".repeat(251), "#", itemName("a b")]) {
      const name = itemName(key);
      expect(name).toMatch(/^#[\w-]{32}$/);
      expect(isHashed(name)).toBe(true);
    }
  });

  it("differs from the name of every other key", () => {
    const key = fc
      .array(fc.constantFrom("a", "#", " ", "ä", "語", "😀"), { minLength: 1 })
      .map((units) => units.join(""));
    fc.assert(
      fc.property(key, key, (one, other) => {
        expect(itemName(one) === itemName(other)).toBe(one === other);
      }),
    );
  });
});

describe("an item", () => {
  it("is only the value if there is nothing else to store", () => {
    const [data, flags] = written("k", "k", "value");
    expect(data.toString()).toBe("value");
    expect(flags).toBe(11);
    expect(bytesOf(answer(data, flags, 60), "k", "k")?.toString()).toBe("value");
  });

  it("has the whole key if its name is a hash, and belongs to no other key", () => {
    const [data, flags] = written(hashed, "a key with spaces", "value");
    expect(bytesOf(answer(data, flags, 60), hashed, "a key with spaces")?.toString()).toBe("value");
    expect(bytesOf(answer(data, flags, 60), hashed, "another with this hash")).toBeUndefined();
    expect(bytesOf(answer(Buffer.from("value"), flags, 60), hashed, "a key with spaces")).toBeUndefined();
  });

  it("is fresh, stale and expired by the time that is left", () => {
    const [data, flags] = written("k", "k", "value", { staleAt: 40, goneAt: 10 });
    const at = (left: number) => itemOf(answer(data, flags, left), "k", "k");
    expect(at(41)).toMatchObject({ isFresh: true, isLeased: false });
    expect(at(40)).toMatchObject({ isFresh: false });
    expect(at(11).bytes?.toString()).toBe("value");
    expect(at(10).bytes).toBeUndefined();
    expect(bytesOf(answer(data, flags, 10), "k", "k")).toBeUndefined();
  });

  it("is leased by the last field", () => {
    const [data, flags] = written("k", "k", "value", { staleAt: 40 });
    const once = Buffer.concat([data, ...leaseFields(30)]);
    expect(itemOf(answer(once, flags, 31), "k", "k").isLeased).toBe(true);
    expect(itemOf(answer(once, flags, 30), "k", "k").isLeased).toBe(false);
    const back = Buffer.concat([once, ...leaseFields(never)]);
    expect(itemOf(answer(back, flags, 31), "k", "k").isLeased).toBe(false);
    const again = Buffer.concat([back, ...leaseFields(5)]);
    expect(itemOf(answer(again, flags, 6), "k", "k").isLeased).toBe(true);
    expect(bytesOf(answer(again, flags, 6), "k", "k")?.toString()).toBe("value");
  });

  it("tells the token of the last lease if that was extended", () => {
    const cas = String(2n ** 64n - 1n);
    const [data, flags] = written("k", "k", "value");
    const extended = Buffer.concat([data, ...leaseFields(30, cas)]);
    expect(itemOf(answer(extended, flags, 31), "k", "k")).toMatchObject({ isLeased: true, extended: cas });
    const next = Buffer.concat([extended, ...leaseFields(20)]);
    expect(itemOf(answer(next, flags, 31), "k", "k")).toMatchObject({ isLeased: true, extended: "" });
    expect(bytesOf(answer(next, flags, 31), "k", "k")?.toString()).toBe("value");
  });

  it("is a lease alone if it is empty, and not leased if it has another program's bytes", () => {
    expect(itemOf(answer(Buffer.alloc(0), 0, 5), "k", "k")).toMatchObject({
      bytes: undefined,
      isLeased: true,
    });
    for (const flags of [0, 2, 5, 1001]) {
      const foreign = itemOf(answer(Buffer.from("theirs"), flags, 60), "k", "k");
      expect(foreign).toMatchObject({ bytes: undefined, isFresh: false, isLeased: false });
    }
  });

  it("comes back with any bytes, and never fails on random bytes", () => {
    fc.assert(
      fc.property(
        fc.uint8Array(),
        fc.string({ unit: "grapheme", minLength: 1 }),
        fc.nat(1000),
        (value, key, staleAt) => {
          const name = itemName(key);
          const { flags, pieces } = itemData(name, key, value, { staleAt });
          const found = bytesOf(answer(Buffer.concat(pieces), flags, 2000), name, key);
          expect(found && Buffer.compare(found, value)).toBe(0);
        },
      ),
    );
    fc.assert(
      fc.property(fc.uint8Array(), fc.nat(200), fc.integer({ min: -1, max: 100 }), (data, flags, left) => {
        itemOf(answer(data, flags, left), hashed, "a key with spaces");
        itemOf(answer(data, flags, left), "k", "k");
      }),
    );
  });
});
