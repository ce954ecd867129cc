import { describe, expect, it } from "vitest";
import { SerializationError } from "../../src/errors.js";
import { json } from "../../src/serializer/json.js";
import { msgpack } from "../../src/serializer/msgpack.js";
import type { Serializer } from "../../src/serializer/serializer.js";
import { v8 } from "../../src/serializer/v8.js";
import { expectSame } from "./same.js";
import { nested } from "./samples.js";

class Money {
  constructor(readonly amount: number) {}
}

function refusalOf(serializer: Serializer, value: unknown): SerializationError {
  try {
    serializer.encode(value);
  } catch (error) {
    if (error instanceof SerializationError) return error;
    throw error;
  }
  return expect.fail("The value was not refused.");
}

describe("a refused value", () => {
  it("is named with its path, its kind, and the serializers that would carry it", () => {
    const order = { orders: [{ total: 1 }, { total: 10n }] };

    const error = refusalOf(json(), order);

    expect(error.path).toBe("$.orders[1].total");
    expect(error.code).toBe("CACHEME_NOT_SERIALIZABLE");
    expect(error.message).toBe(
      "The value at $.orders[1].total is a bigint, which json() cannot carry. msgpack() and v8() can: " +
        "use one as the node's serializer, or return something else from load.",
    );
  });

  it("that no serializer carries is named with its class and with advice", () => {
    const error = refusalOf(msgpack(), { price: new Money(1) });

    expect(error.path).toBe("$.price");
    expect(error.message).toContain(
      "an instance of Money, which msgpack() cannot carry. No other serializer can",
    );
  });

  it.each([
    [{ "odd key": Number.NaN }, '$["odd key"]', "NaN"],
    [{ "": undefined }, '$[""]', "undefined"],
    [[[], [1, undefined]], "$[1][1]", "undefined"],
    [[1, new Date()], "$[1]", "a Date"],
    [{ "0": new Map() }, '$["0"]', "a Map"],
    [{ été: new Set() }, "$.été", "a Set"],
    [Number.NEGATIVE_INFINITY, "$", "-Infinity"],
    [new Error("x"), "$", "an Error"],
    [{ a: { b: Buffer.alloc(1) } }, "$.a.b", "a Buffer"],
  ])("of %o has the path %s for json", (value, path, what) => {
    const error = refusalOf(json(), value);

    expect(error.path).toBe(path);
    expect(error.message).toContain(`is ${what}, which json()`);
  });

  it.each([
    [new Map([["rates", [Symbol("s")]]]), '$.get("rates")[0]'],
    [new Map([[{}, { f: () => 1 }]]), "$.values()[0].f"],
    [
      new Map([
        ["a", 1],
        [[Symbol("s")], 2],
      ] as never),
      "$.keys()[1][0]",
    ],
    [new Set([1, { a: () => 1 }]), "$.values()[1].a"],
    [new Error("x", { cause: { at: new Money(1) } }), "$.cause.at"],
    [Object.assign([1], { last: [new Money(1)] }), "$.last[0]"],
  ])("of %o has the path %s for msgpack and v8", (value, path) => {
    expect(refusalOf(msgpack(), value).path).toBe(path);
    expect(refusalOf(v8(), value).path).toBe(path);
  });

  it("that contains itself is distinguished from one that is merely deep", () => {
    const cycle: Record<string, unknown> = { a: {} };
    cycle["a"] = { back: cycle };

    const error = refusalOf(json(), cycle);
    const deep = refusalOf(json(), nested(2_000));

    expect(error.path).toBe("$.a.back");
    expect(error.message).toContain(
      "a value that contains itself, which json() cannot carry. msgpack() and v8() can",
    );
    expect(deep.message).toContain(
      "nested more than 1,000 levels deep, which json() cannot carry. msgpack() can",
    );
  });

  it("may be a hundred thousand levels deep without overflowing the stack", () => {
    const deep = nested(100_000);

    expect(refusalOf(json(), deep).message).toContain("levels deep");
    expect(refusalOf(v8(), deep).message).toContain("levels deep");
  });
});

describe("a value that msgpack carries", () => {
  it("may be deeper than the stack", () => {
    const deep = nested(25_000);

    expect(() => JSON.stringify(deep)).toThrow(RangeError);
    expect(msgpack().decode(msgpack().encode(deep))).toBeInstanceOf(Object);
  });
});

describe("an object that occurs in many places", () => {
  it("does not keep a serializer busy for ever if few objects make up an endless tree", () => {
    let value: unknown = ["leaf"];
    for (let level = 0; level < 100; level++) value = [value, value];

    const copy = msgpack().decode(msgpack().encode(value));

    expect(copy).toHaveLength(2);
    expect((v8().decode(v8().encode(value)) as unknown[])[0]).toBeDefined();
  });

  it("is not checked again and again if it is wide and occurs in a few thousand places", () => {
    const wide = new Array(100_000).fill(1);
    const value = new Array(9_000).fill(wide);

    const copy = msgpack().decode(msgpack().encode(value)) as unknown[][];

    expect([copy.length, copy[0]?.length]).toEqual([9_000, 100_000]);
    expect(v8().encode(value).length).toBeLessThan(1_000_000);
    expect(refusalOf(json(), value).message).toContain(
      "few objects that stand for over 4,000,000 values, which json() cannot carry. msgpack() and v8() can",
    );
  });

  it.each([
    ["json", json()],
    ["msgpack", msgpack()],
    ["v8", v8()],
  ])(
    "comes back in all places from %s, past the number of values from which objects are watched",
    (_name, serializer) => {
      const shared = { country: "NL" };
      const value = [new Array(100_000).fill(1), ...Array.from({ length: 100 }, (_, id) => ({ id, shared }))];

      const copy = serializer.decode(serializer.encode(value)) as unknown[];

      expect(copy[0]).toHaveLength(100_000);
      expectSame(copy.slice(1), value.slice(1));
    },
  );
});
