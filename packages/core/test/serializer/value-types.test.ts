import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeEntry } from "../../src/entry/entry-codec.js";
import { SerializationError } from "../../src/errors.js";
import { compressed, json, msgpack, type Serializer, v8, valueType } from "../../src/index.js";
import { entryBytes } from "../support/entry-bytes.js";
import { thrownBy } from "../support/reason.js";
import { expectSame } from "./same.js";

class Money {
  constructor(
    readonly amount: bigint,
    readonly currency: string,
  ) {}
}

/** Holds a value of any kind, even of a user's type. */
class Box {
  constructor(readonly content: unknown) {}
}

class Failure extends Error {
  constructor(readonly reason: unknown) {
    super("failed");
    this.stack = "";
  }
}

const money = valueType({
  tag: "Money",
  class: Money,
  encode: ({ amount, currency }) => ({ amount: String(amount), currency }),
  decode: ({ amount, currency }) => new Money(BigInt(amount), currency),
});
const box = valueType({
  tag: "Box",
  class: Box,
  encode: ({ content }) => [content],
  decode: ([content]) => new Box(content),
});
const failure = valueType({
  tag: "Failure",
  class: Failure,
  encode: ({ reason }) => reason,
  decode: (reason) => new Failure(reason),
});
const url = valueType({
  tag: "URL",
  test: (value) => value instanceof URL,
  encode: (value: URL) => value.href,
  decode: (href) => new URL(href),
});
const types = [money, box, failure, url];

const serializers: Readonly<Record<string, Serializer>> = {
  msgpack: msgpack({ types }),
  json: json({ types }),
  v8: v8({ types }),
  "compressed json": compressed(json({ types }), { threshold: 0 }),
};
const bare: Readonly<Record<string, Serializer>> = { msgpack: msgpack(), json: json(), v8: v8() };

function roundTrip(serializer: Serializer, value: unknown): unknown {
  const bytes = entryBytes(serializer, 1, "a:b:c:1", { value, writtenAt: 0, freshUntil: 1 });
  return decodeEntry(serializer, 1, "a:b:c:1", bytes)?.value;
}

describe.each(Object.entries(serializers))("the types of %s", (_name, serializer) => {
  const euro = new Money(10n ** 20n, "EUR");

  it.each([
    ["the whole value", euro],
    ["in rows", Array.from({ length: 40 }, (_, id) => ({ id, price: new Money(BigInt(id), "EUR") }))],
    [
      "at the end of ordinary rows",
      [...Array.from({ length: 40 }, (_, id) => ({ id, price: 1 })), { id: 1, price: euro }],
    ],
    ["within each other", new Box([new Box(euro), { inner: new Failure(new Box(null)) }])],
    ["of no data", [new Box(null), new Failure("text"), new Failure(0)]],
    [
      "beside names that mark types in JSON",
      { "@type": "Money", "@value": [{ "@type": "" }, euro], ["__proto__"]: euro },
    ],
  ])("come back %s", (_where, value) => {
    expectSame(roundTrip(serializer, value), value);
  });

  it("come back if a test recognizes them", () => {
    const copy = roundTrip(serializer, { home: new URL("https://example.com/a?b#c") }) as { home: URL };

    expect(copy.home).toBeInstanceOf(URL);
    expect(copy.home.href).toBe("https://example.com/a?b#c");
  });

  it("come back wherever they are, or are refused", () => {
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom(null, true, "text", 1, -0),
        fc.bigInt().map((amount) => new Money(amount, "EUR")),
        tie("value").map((content) => new Box(content)),
        tie("value").map((reason) => new Failure(reason)),
        fc.array(tie("value")),
        fc.dictionary(fc.constantFrom("a", "b", "@type", "@value", "__proto__"), tie("value"), {
          noNullPrototype: true,
        }),
      ),
    })).value;

    fc.assert(
      fc.property(value, (any) => {
        expectSame(roundTrip(serializer, any), any);
      }),
      { numRuns: 300 },
    );
  });

  it("of the same object twice are encoded once", () => {
    let encoded = 0;
    const counted = valueType({ ...box, encode: ({ content }: Box) => [++encoded && content] });
    const one = new Box(1);
    const make = { msgpack, json, v8 }[_name as "json"] ?? json;

    make({ types: [counted] }).encode([one, { again: one }, [one]]);

    expect(encoded).toBe(1);
  });

  it("do not change values that are carried without them", () => {
    for (const value of [
      { "@type": "Money", "@value": 1 },
      [1, "two", { three: null }],
      "~text",
      undefined,
    ]) {
      expectSame(roundTrip(serializer, value), value);
    }
  });

  it("may be few that stand for very many, without taking long", () => {
    let value: unknown = new Box("leaf");
    for (let level = 0; level < 60; level++) value = level % 2 === 0 ? [value, value] : new Box(value);

    try {
      expect(roundTrip(serializer, value)).toBeDefined();
    } catch (error) {
      expect((error as Error).message).toContain("few objects that stand for over 4,000,000 values");
    }
  });

  it("are refused with the path of the data that cannot be carried", () => {
    const error = thrownBy(() => serializer.encode({ a: [new Box({ b: new WeakMap() })] }));

    expect(error).toBeInstanceOf(SerializationError);
    expect((error as SerializationError).path).toBe("$.a[0].encode()[0].b");
  });

  it("are refused if they contain themselves, or encode for ever", () => {
    const list: unknown[] = [];
    list.push(new Box(list));
    const endless = valueType({ ...box, encode: () => [new Box(1)] });
    const make = { msgpack, json, v8 }[_name as "json"] ?? json;

    expect(thrownBy(() => serializer.encode(list))).toMatchObject({ code: "CACHEME_NOT_SERIALIZABLE" });
    expect(thrownBy(() => make({ types: [endless] }).encode(new Box(1)))).toMatchObject({
      code: "CACHEME_NOT_SERIALIZABLE",
      message: expect.stringContaining("1,000 levels deep"),
    });
  });

  it("that throw while encoding are refused with their reason, and while decoding are a miss", () => {
    const throwing = valueType({ ...box, encode: () => expect.fail("no ink") });
    const unreadable = valueType({ ...box, decode: () => expect.fail("no glasses") });
    const make = { msgpack, json, v8 }[_name as "json"] ?? json;

    expect(thrownBy(() => make({ types: [throwing] }).encode({ a: new Box(1) }))).toMatchObject({
      path: "$.a",
      message: 'The type "Box" failed for the value at $.a: no ink',
    });
    expect(roundTrip(make({ types: [unreadable] }), new Box(1))).toBeUndefined();
  });
});

describe.each(Object.entries(bare))("%s without types", (name, serializer) => {
  it("misses entries that hold a value of an unknown tag", () => {
    const writer = serializers[name] as Serializer;
    const reader = { msgpack, json, v8 }[name as "json"]({ types: [url] });
    const bytes = entryBytes(writer, 1, "a:b:c:1", {
      value: [new Money(1n, "EUR")],
      writtenAt: 0,
      freshUntil: 1,
    });

    expect(decodeEntry(serializer, 1, "a:b:c:1", bytes)).toBeUndefined();
    expect(decodeEntry(reader, 1, "a:b:c:1", bytes)).toBeUndefined();
    expect(decodeEntry(writer, 1, "a:b:c:1", bytes)?.value).toEqual([new Money(1n, "EUR")]);
  });

  it("writes values that need no types as with them, so that both read each other", () => {
    for (const value of [{ a: [1] }, "text", Array.from({ length: 30 }, (_, id) => ({ id }))]) {
      expect((serializers[name] as Serializer).encode(value)).toEqual(serializer.encode(value));
    }
  });

  it("suggests types", () => {
    expect(thrownBy(() => serializer.encode({ price: new Money(1n, "EUR") }))).toMatchObject({
      message: expect.stringContaining("or give its class to the option `types`."),
    });
  });
});

it("a type of json may stand for kinds that JSON lacks: dates, maps and bigints", () => {
  const serializer = json({
    types: [
      valueType({ tag: "Date", class: Date, encode: Number, decode: (time) => new Date(time) }),
      valueType({
        tag: "Map",
        class: Map<unknown, unknown>,
        encode: (map) => [...map],
        decode: (all) => new Map(all),
      }),
      valueType({
        tag: "bigint",
        test: (value) => typeof value === "bigint",
        encode: String,
        decode: BigInt,
      }),
    ],
  });
  const value = { at: new Date(5), rates: new Map<unknown, unknown>([[new Date(6), 7n]]), total: 7n };

  expectSame(roundTrip(serializer, value), value);
});

it("a type may have the map of values that msgpack and v8 carry around it", () => {
  const value = new Map<unknown, unknown>([
    [new Money(1n, "EUR"), new Set([new Box(new Map([[new Date(1), new Box(2n)]]))])],
  ]);
  const around: unknown[] = [value];
  around.push(around, new Box([1.5, undefined]));

  for (const name of ["msgpack", "v8"])
    expectSame(roundTrip(serializers[name] as Serializer, around), around);
});

describe("invalid types", () => {
  const valid = { tag: "Box", class: Box, encode: () => 1, decode: () => new Box(1) };

  it.each([
    [[box, box], /two types with the tag "Box"/],
    [[box, { ...box, tag: "Other" }], /two types for the class of "Other"/],
    ["Box", /types of \w+\(\) is not a list/],
    [[undefined], /not an object/],
    [[{ ...valid, tag: "" }], /has the tag ""/],
    [[{ ...valid, tag: 1 }], /has the tag number/],
    [[{ ...valid, class: undefined }], /either a class or a test/],
    [[{ ...valid, test: () => true }], /either a class or a test/],
    [[{ ...valid, class: {} }], /`class` that is not a class/],
    [[{ ...valid, class: Object }], /plain objects or arrays/],
    [[{ ...valid, class: undefined, test: "x" }], /`test` that is not a function/],
    [[{ ...valid, encode: undefined }], /no function `encode`/],
    [[{ ...valid, decode: 1 }], /no function `decode`/],
  ])("are refused when the serializer is made: %o", (given, message) => {
    for (const make of [msgpack, json, v8]) {
      expect(thrownBy(() => make({ types: given as never }))).toMatchObject({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringMatching(message),
      });
    }
  });

  it("are refused by valueType, too", () => {
    expect(thrownBy(() => valueType({ ...valid, tag: "" }))).toMatchObject({
      code: "CACHEME_INVALID_OPTION",
    });
  });
});
