import fc from "fast-check";
import { Packr, Unpackr } from "msgpackr";
import { describe, expect, it } from "vitest";
import { notPlain } from "../../src/serializer/in-place.js";
import { readPlain } from "../../src/serializer/read-plain.js";
import { expectSame } from "./same.js";

const options = { mapsAsObjects: true, moreTypes: true, useToJSON: false, copyBuffers: true } as const;
const packr = new Packr({ ...options, useRecords: false });
const unpackr = new Unpackr({ ...options });

const key = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 40 }).filter((text) => text !== "__proto__"),
  fc.constantFrom("id", "name", "0", "17", "constructor", "toString", "é", "a".repeat(31), "a".repeat(32)),
);
const leaf = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 60 }),
  fc.string({ unit: "grapheme-ascii", maxLength: 60 }),
  fc.integer(),
  fc.integer({ min: -300, max: 300 }),
  fc.integer({ min: 2 ** 31 - 5, max: 2 ** 32 + 5 }),
  fc.double(),
  fc.constantFrom(null, undefined, true, false, "x".repeat(255), "x".repeat(256)),
);
const { value: plain } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    leaf,
    fc.array(tie("value"), { maxLength: 6 }),
    fc.dictionary(key, tie("value"), { maxKeys: 6, noNullPrototype: true }),
  ),
}));

describe("the reader of plain values", () => {
  it("reads plain values of msgpackr as msgpackr does", () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = Buffer.from(packr.pack(value));
        expectSame(readPlain(bytes), unpackr.unpack(bytes));
      }),
      { numRuns: 2_000 },
    );
  });

  it("reads a value between other bytes, and leaves one that they cut off", () => {
    fc.assert(
      fc.property(plain, fc.nat(9), fc.nat(9), (value, before, after) => {
        const bytes = packr.pack(value);
        const all = Buffer.concat([Buffer.alloc(before, 0xc0), bytes, Buffer.alloc(after, 0xc0)]);
        const end = before + bytes.length;

        // Not `value`: msgpackr writes -0 as 0.
        expectSame(readPlain(all, before, end), unpackr.unpack(bytes));
        expect(readPlain(all, before, end - 1)).toBe(notPlain);
      }),
    );
  });

  it("freezes every object and array on request, and nothing otherwise", () => {
    const bytes = Buffer.from(packr.pack({ rows: [{ id: 1 }, []], none: null }));

    for (const isFrozen of [true, false]) {
      const value = readPlain(bytes, 0, bytes.length, isFrozen) as { rows: object[] };
      for (const part of [value, value.rows, ...value.rows]) expect(Object.isFrozen(part)).toBe(isFrozen);
    }
  });

  it("reads long lists, long strings, and objects with many keys", () => {
    const list = Array.from({ length: 70_000 }, (_, index) => index);
    const keys = list.slice(0, 60_000);
    const object = Object.fromEntries(keys.map((index) => [`key ${index}`, index]));

    const texts = ["ü".repeat(40_000), "x".repeat(70_000)];
    expectSame(readPlain(Buffer.from(packr.pack([list, object, texts]))), [list, object, texts]);
  });

  it("leaves values that are not plain to msgpackr", () => {
    const others = [new Date(0), 1n, 2n ** 64n - 1n, new Uint8Array(1), new Set(), /a/, new Error("e")];
    for (const other of others) {
      expect(readPlain(Buffer.from(packr.pack(other)))).toBe(notPlain);
      expect(readPlain(Buffer.from(packr.pack({ a: [1, other, "b"] })))).toBe(notPlain);
    }
    expect(readPlain(Buffer.concat([Buffer.of(0x81, 0xa9), Buffer.from("__proto__"), Buffer.of(1)]))).toBe(
      notPlain,
    );
    const nested = JSON.parse("[".repeat(300) + "]".repeat(300));
    expect(readPlain(Buffer.from(packr.pack(nested)))).toBe(notPlain);
  });

  it("leaves bytes to msgpackr that are cut off, or followed by others", () => {
    const bytes = Buffer.from(
      packr.pack({ id: 70_000, name: "a".repeat(300), list: [1.5, -40_000, null, "é"] }),
    );

    for (let length = 0; length < bytes.length; length++)
      expect(readPlain(bytes.subarray(0, length))).toBe(notPlain);
    expect(readPlain(Buffer.concat([bytes, Buffer.of(1)]))).toBe(notPlain);
    // A key that is an object whose `toString` is null.
    const odd = [Buffer.of(0x81, 0x81, 0xa8), Buffer.from("toString"), Buffer.of(0xc0, 1)];
    expect(readPlain(Buffer.concat(odd))).toBe(notPlain);
  });

  it("never throws, and reads any bytes as msgpackr does", () => {
    const damaged = fc
      .tuple(plain, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 5 }))
      .map(([value, damages]) => {
        const bytes = Buffer.from(packr.pack(value));
        for (const [place, byte] of damages) bytes[place % bytes.length] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 40 })), (bytes) => {
        const found = readPlain(Buffer.from(bytes));
        // Except damaged strings of UTF-8: the two replace a different number of bytes.
        if (found === notPlain || JSON.stringify(found)?.includes("\ufffd")) return;
        expectSame(found, unpackr.unpack(Buffer.from(bytes)));
      }),
      { numRuns: 5_000 },
    );
  });

  it("tells keys apart that it remembers in one place", () => {
    const keys = Array.from({ length: 5_000 }, (_, index) => `k${index.toString(36)}`);
    const objects = keys.map((name) => ({ [name]: name }));

    for (let round = 0; round < 2; round++) {
      for (const object of objects) expectSame(readPlain(Buffer.from(packr.pack(object))), object);
    }
  });
});
