import { runInNewContext } from "node:vm";
import { expect, it, vi } from "vitest";

// In a file of its own, because the classes must exist before the serializers are loaded.
it("carries a Buffer that is not a Uint8Array, as in Jest's jsdom environment", async () => {
  vi.stubGlobal("Uint8Array", runInNewContext("Uint8Array"));
  const { msgpack } = await import("../../src/serializer/msgpack.js");
  const serializer = msgpack();
  expect(Buffer.from("ab") instanceof Uint8Array).toBe(false);

  const values = [
    Buffer.from("ab"),
    { list: [Buffer.alloc(0), 1] },
    new Map([[1n, Buffer.from("ab")]]),
    "a\ud800b",
  ];
  for (const value of values) {
    const copy = serializer.decode(serializer.encode(value));
    expect(copy).toEqual(value);
    expect(serializer.decode(serializer.encode({ copy }))).toEqual({ copy: value });
  }
  expect(Buffer.isBuffer(serializer.decode(serializer.encode(Buffer.from("ab"))))).toBe(true);
});
