import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Answer } from "../src/answers.js";
import { isHashed, itemName } from "../src/item-name.js";
import { bytesOf, itemData, itemOf, leaseField, noLeaseField } from "../src/record.js";

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
  it("is the key where a server takes it", () => {
    for (const key of ["a", "app:user:7", "%_*?[]{}'\"\\", "x".repeat(250), "a#b"])
      expect(itemName(key)).toBe(key);
  });

  it("is a hash where a server does not, or where it would look like one", () => {
    for (const key of ["a b", " ", "ä", "語", "x".repeat(251), "#", itemName("a b")]) {
      const name = itemName(key);
      expect(name).toMatch(/^#[\w-]{32}$/);
      expect(isHashed(name)).toBe(true);
    }
  });

  it("is another one for another key", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 1 }),
        fc.string({ unit: "binary", minLength: 1 }),
        (one, other) => {
          expect(itemName(one) === itemName(other)).toBe(one === other);
        },
      ),
    );
  });
});

describe("an item", () => {
  it("is the value and nothing else where nothing more is to be said", () => {
    const [data, flags] = written("k", "k", "value");
    expect(data.toString()).toBe("value");
    expect(flags).toBe(11);
    expect(bytesOf(answer(data, flags, 60), "k", "k")?.toString()).toBe("value");
  });

  it("bears the whole key where its name is a hash, and is nobody else's", () => {
    const [data, flags] = written(hashed, "a key with spaces", "value");
    expect(bytesOf(answer(data, flags, 60), hashed, "a key with spaces")?.toString()).toBe("value");
    expect(bytesOf(answer(data, flags, 60), hashed, "another with this hash")).toBeUndefined();
    expect(bytesOf(answer(Buffer.from("value"), flags, 60), hashed, "a key with spaces")).toBeUndefined();
  });

  it("is fresh, stale and gone by the time that is left", () => {
    const [data, flags] = written("k", "k", "value", { staleAt: 40, goneAt: 10 });
    const at = (left: number) => itemOf(answer(data, flags, left), "k", "k");
    expect(at(41)).toMatchObject({ isFresh: true, isLeased: false });
    expect(at(40)).toMatchObject({ isFresh: false });
    expect(at(11).bytes?.toString()).toBe("value");
    expect(at(10).bytes).toBeUndefined();
    expect(bytesOf(answer(data, flags, 10), "k", "k")).toBeUndefined();
  });

  it("is leased by what was appended last", () => {
    const [data, flags] = written("k", "k", "value", { staleAt: 40 });
    const once = Buffer.concat([data, leaseField(30)]);
    expect(itemOf(answer(once, flags, 31), "k", "k").isLeased).toBe(true);
    expect(itemOf(answer(once, flags, 30), "k", "k").isLeased).toBe(false);
    const back = Buffer.concat([once, noLeaseField()]);
    expect(itemOf(answer(back, flags, 31), "k", "k").isLeased).toBe(false);
    const again = Buffer.concat([back, leaseField(5)]);
    expect(itemOf(answer(again, flags, 6), "k", "k").isLeased).toBe(true);
    expect(bytesOf(answer(again, flags, 6), "k", "k")?.toString()).toBe("value");
  });

  it("is a lease alone where there is nothing in it, and no lease where another program has something in it", () => {
    expect(itemOf(answer(Buffer.alloc(0), 0, 5), "k", "k")).toMatchObject({
      bytes: undefined,
      isLeased: true,
    });
    for (const flags of [0, 2, 5, 1001]) {
      const foreign = itemOf(answer(Buffer.from("theirs"), flags, 60), "k", "k");
      expect(foreign).toMatchObject({ bytes: undefined, isFresh: false, isLeased: false });
    }
  });

  it("comes back whatever is in it, and never fails on rubbish", () => {
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
