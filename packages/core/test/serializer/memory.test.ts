import { describe, expect, it } from "vitest";
import { json } from "../../src/serializer/json.js";
import { msgpack } from "../../src/serializer/msgpack.js";
import { v8 } from "../../src/serializer/v8.js";
import { expectSame } from "./same.js";

const binary = { msgpack: msgpack(), v8: v8() };

describe.each(Object.entries({ json: json(), ...binary }))("%s", (_name, serializer) => {
  it("returns bytes that the next calls do not change", () => {
    const values = Array.from({ length: 200 }, (_, i) => ({ i, text: "x".repeat(i * 40) }));

    const encoded = values.map((value) => serializer.encode(value));

    for (const [index, bytes] of encoded.entries()) expect(serializer.decode(bytes)).toEqual(values[index]);
  });

  it("reads from the middle of a larger buffer, and from a byte array that is not a Buffer", () => {
    const value = {
      name: "žluť",
      list: [1, 2, 3],
      text: "long enough to be read in another way: ".repeat(9),
    };
    const bytes = serializer.encode(value);
    const larger = new Uint8Array(bytes.length + 20).fill(0xff);
    larger.set(bytes, 7);

    expect(serializer.decode(larger.subarray(7, 7 + bytes.length))).toEqual(value);
  });
});

describe.each(Object.entries(binary))("%s", (_name, serializer) => {
  const values = {
    "a Buffer": Buffer.from("some bytes"),
    "bytes in a Map": new Map([["a", new Uint8Array([1, 2, 3])]]),
    "a typed array": new Float64Array([1.5, 2.5]),
    "an ArrayBuffer": new Uint8Array([1, 2, 3]).buffer,
  };

  it.each(Object.entries(values))("does not share the memory that %s was read from", (_what, value) => {
    const bytes = Buffer.from(serializer.encode(value));

    const decoded = serializer.decode(bytes);
    bytes.fill(0);

    expectSame(decoded, value);
  });

  it.each(Object.entries(values))("does not share the memory of the %s that was written", (_what, value) => {
    const source = value instanceof Buffer ? Buffer.from(value) : structuredClone(value);

    const bytes = serializer.encode(source);
    const before = Buffer.from(bytes);
    overwrite(source);

    expect(Buffer.from(bytes)).toEqual(before);
  });

  it("stores only a small Buffer's bytes, and not its pool", () => {
    Buffer.from("a secret of somebody else");

    expect(serializer.encode(Buffer.from("mine")).length).toBeLessThan(20);
  });
});

function overwrite(value: unknown): void {
  if (value instanceof Map) for (const each of value.values()) overwrite(each);
  if (value instanceof ArrayBuffer) new Uint8Array(value).fill(9);
  if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer, value.byteOffset, value.byteLength).fill(9);
}
