import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SerializationError } from "../../src/errors.js";
import { compressed } from "../../src/serializer/compressed.js";
import { json } from "../../src/serializer/json.js";
import { msgpack } from "../../src/serializer/msgpack.js";
import { v8 } from "../../src/serializer/v8.js";
import { expectSame } from "./same.js";

/** Nearly all values that can be made, including those that no serializer carries. */
const anything = fc.anything({
  withBigInt: true,
  withBoxedValues: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withSparseArray: true,
  withTypedArray: true,
  withUnicodeString: true,
  maxDepth: 4,
});

/** The values that programs usually cache. */
const ordinary = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.string({ unit: "binary" }),
    fc.double(),
    fc.integer(),
    fc.constantFrom(null, true, false, undefined, -0, 63, 64, 127, 128, 2 ** 31, 2 ** 53, -(2 ** 31) - 1),
    fc.date({ noInvalidDate: false }),
    fc.bigInt(),
    fc.uint8Array(),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.array(tie("value")),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "toJSON", "hasOwnProperty", "0")),
      tie("value"),
    ),
    tie("rows"),
  ),
  rows: fc.array(
    fc.record(
      {
        id: fc.nat(),
        name: fc.string(),
        "odd key": tie("value"),
        nested: fc.record({ a: fc.float(), b: tie("value") }),
      },
      { requiredKeys: ["id"] },
    ),
    { minLength: 14, maxLength: 24 },
  ),
}));

const text = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0xd7f0, max: 0xe010 }).map((unit) => String.fromCharCode(unit)) }),
  fc.string(),
);

const serializers = {
  json: json(),
  msgpack: msgpack(),
  v8: v8(),
  "compressed json": compressed(json(), { threshold: 0 }),
};

describe.each(Object.entries(serializers))("%s", (_name, serializer) => {
  /**
   * Fails unless the same value comes back, or it is refused with a path. A serializer never
   * changes a value silently.
   */
  function carriesOrRefuses(value: unknown): void {
    let bytes: Uint8Array;
    try {
      bytes = serializer.encode(value);
    } catch (error) {
      expect(error).toBeInstanceOf(SerializationError);
      expect((error as SerializationError).path).toMatch(/^\$/);
      return;
    }
    expectSame(serializer.decode(bytes), value);
  }

  it("returns any value as it went in, or refuses it", () => {
    fc.assert(fc.property(anything, carriesOrRefuses), { numRuns: 1_000 });
  });

  it("returns ordinary values as they went in, or refuses them", () => {
    fc.assert(fc.property(ordinary.value, carriesOrRefuses), { numRuns: 200 });
  });

  it("returns strings with lone surrogates as they went in, as values and as keys", () => {
    fc.assert(
      fc.property(text, text, (key, value) => carriesOrRefuses({ [key]: value })),
      { numRuns: 500 },
    );
  });
});

describe("msgpack", () => {
  it("carries every kind of the ordinary values", () => {
    fc.assert(
      fc.property(ordinary.value, (value) => {
        expectSame(msgpack().decode(msgpack().encode(value)), value);
      }),
      { numRuns: 200 },
    );
  });
});
