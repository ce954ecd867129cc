/** The key that the files of {@link released} were written under. */
export const releasedKey = "cacheme:fixture:released:1";

/**
 * The contents of the files in fixtures/format-2. They were written once, with the class `fixture`
 * of version 1, and must never be written again. Nobody rewrites the entries in a user's Redis
 * either.
 */
export const released: Readonly<Record<string, { codec: "json" | "msgpack" | "v8"; value: unknown }>> = {
  ...inAllCompressions("json", {
    text: "Zoë 🦊",
    numbers: [0, -0, 1, -1, 255, 65_536, 2 ** 40, 1.5],
    nothing: null,
    yes: true,
    nested: { list: [[], {}] },
    long: "word ".repeat(60),
  }),
  ...inAllCompressions("msgpack", {
    text: "Zoë 🦊",
    numbers: [0, 1, -1, 63, 64, 127, 128, 255, 65_536, 2 ** 40, 1.5, Number.NaN, Number.NEGATIVE_INFINITY],
    big: [1n, -(2n ** 63n), 2n ** 64n - 1n],
    nothing: [null, undefined],
    yes: true,
    at: [new Date(0), new Date(1_700_000_000_123), new Date(-1), new Date(Number.NaN)],
    bytes: [Buffer.from("buffer"), new Uint8Array([1, 2, 3])],
    long: "word ".repeat(60),
  }),
  "msgpack-rows.bin": {
    codec: "msgpack",
    value: Array.from({ length: 40 }, (_, id) => ({
      id,
      name: `row ${id}`,
      tags: ["a"],
      ...(id % 2 === 0 ? { extra: { at: new Date(id) } } : {}),
    })),
  },
  "msgpack-table.bin": {
    codec: "msgpack",
    value: {
      map: new Map<unknown, unknown>([
        ["a", 1],
        [{ key: true }, new Set([1, [2]])],
      ]),
      zero: -0,
      big: -(2n ** 100n),
      lone: "a\ud800",
      regExp: Object.assign(/a[/]b/gi, { lastIndex: 3 }),
      error: errorOf(new TypeError("wrong", { cause: "fixture" })),
      bare: Object.assign(Object.create(null), { a: 1 }),
      sparse: Object.assign([], { 2: "two" }),
      floats: new Float64Array([1.5, -0]),
      view: new DataView(new Uint8Array([1, 2]).buffer),
      memory: new Uint8Array([9]).buffer,
    },
  },
  ...inAllCompressions("v8", {
    text: "Zoë 🦊",
    map: new Map([["a", new Set([1n, undefined])]]),
    at: new Date(1_700_000_000_123),
    bytes: [Buffer.from("buffer"), new Float32Array([1.5])],
    regExp: /a/g,
    error: errorOf(new RangeError("wrong")),
    boxed: Object(-0),
    long: "word ".repeat(60),
  }),
};

function inAllCompressions(codec: "json" | "msgpack" | "v8", value: unknown): typeof released {
  return Object.fromEntries(
    ["", "-gzip", "-deflate", "-brotli"].map((suffix) => [`${codec}${suffix}.bin`, { codec, value }]),
  );
}

/** Returns an error whose stack is the same everywhere. */
function errorOf(error: Error): Error {
  return Object.defineProperty(error, "stack", { value: `${error.name}: ${error.message}\n    at fixture` });
}
