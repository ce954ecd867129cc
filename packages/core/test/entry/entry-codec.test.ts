import { readdirSync, readFileSync } from "node:fs";
import { deflateSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Cached } from "../../src/entry/entry.js";
import { decodeEntry, encodeEntry } from "../../src/entry/entry-codec.js";
import { classFingerprint, decodeEnvelope, encodeEnvelope } from "../../src/entry/envelope.js";
import { Failure } from "../../src/entry/failure.js";
import { SerializationError } from "../../src/errors.js";
import { compressed } from "../../src/serializer/compressed.js";
import { json } from "../../src/serializer/json.js";
import { msgpack } from "../../src/serializer/msgpack.js";
import type { Serializer } from "../../src/serializer/serializer.js";
import { v8 } from "../../src/serializer/v8.js";
import { expectSame } from "../serializer/same.js";
import { entryBytes } from "../support/entry-bytes.js";
import { released, releasedKey } from "./released.js";

const fingerprint = classFingerprint("user", "1");
const storageKey = "cacheme:user:1:1";
const serializers = { json: json(), msgpack: msgpack(), v8: v8() };
const names = ["json", "msgpack", "v8"] as const;

function cached<V>(value: V): Cached<V> {
  return { value, writtenAt: 1_700_000_000_000, freshUntil: Number.POSITIVE_INFINITY };
}

describe("an entry", () => {
  it.each(names)("comes back from %s with its times, even if the value is `undefined` or empty", (name) => {
    for (const value of [undefined, null, 0, -0, "", false, [], {}]) {
      const entry = decodeEntry(
        serializers[name],
        fingerprint,
        storageKey,
        entryBytes(serializers[name], fingerprint, storageKey, cached(value)),
      );

      expectSame(entry, cached(value));
    }
  });

  it("with tags of a released version is read, and only by a reader that compares them", () => {
    const bytes = readFileSync(new URL("fixtures/format-2-tags/msgpack.bin", import.meta.url));
    const ofClass = classFingerprint("fixture", "1");
    const sections: (string | undefined)[] = [];
    const read = (isValid?: (generations: string | undefined) => boolean) =>
      decodeEntry(msgpack(), ofClass, releasedKey, bytes, 0, undefined, isValid);

    expect(read()).toBeUndefined();
    expect(read((section) => sections.push(section) < 0)).toBeUndefined();
    expect(read((section) => sections.push(section) > 0)).toEqual({
      value: { text: "Zoë 🦊", list: [1, 2, 3] },
      writtenAt: 1_700_000_000_000,
      freshUntil: 1_700_000_060_000,
    });
    expect(new Set(sections)).toEqual(new Set(["team:7\nAbc_-123\nünï\nid2"]));
  });

  it.each([
    ["msgpack", msgpack(), { text: "E_NO_ROW" }],
    ["json", json(), { text: 404 }],
  ] as const)(
    "with an error or kept data of a released version is read: %s",
    (name, serializer, { text: code }) => {
      const ofClass = classFingerprint("fixture", "1");
      const read = (file: string, readsErrors?: boolean) => {
        const bytes = readFileSync(new URL(`fixtures/format-2-beside/${name}-${file}.bin`, import.meta.url));
        const any = () => true;
        return decodeEntry(serializer, ofClass, releasedKey, bytes, 0, undefined, any, false, readsErrors);
      };

      const times = { writtenAt: 1_700_000_000_000, freshUntil: 1_700_000_060_000 };
      const failure = new Failure({ name: "NotFound", message: "Zoë is gone 🦊", code });
      expect(read("error")).toStrictEqual({ value: failure, ...times });
      expect(read("error", false)).toBeUndefined();
      const kept = { etag: '"33a6"', ünï: [1, null] };
      expect(read("kept")).toStrictEqual({ value: { text: "Zoë 🦊" }, ...times, kept });
    },
  );

  it("with an error that has the wrong form is a miss", () => {
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      "{}",
      '{"name":1,"message":""}',
      '{"name":"","message":"","code":{}}',
    ]) {
      const payload = Buffer.from(JSON.stringify(text));
      const packed = { codec: json().codec, payload, compression: undefined, isError: true };
      const bytes = encodeEntry(packed, fingerprint, storageKey, { writtenAt: 1, freshUntil: 2 });
      expect(decodeEntry(json(), fingerprint, storageKey, bytes)).toBeUndefined();
    }
  });

  it.each(["gzip", "deflate", "brotli"] as const)(
    "compressed with %s is read by a reader with any settings",
    (algorithm) => {
      const value = { words: "again and ".repeat(500) };
      const writer = compressed(msgpack(), { algorithm });

      const bytes = entryBytes(writer, fingerprint, storageKey, cached(value));

      expect(bytes.length).toBeLessThan(300);
      for (const reader of [msgpack(), writer, compressed(msgpack(), { threshold: 1e9 })]) {
        expect(decodeEntry(reader, fingerprint, storageKey, bytes)).toEqual(cached(value));
      }
    },
  );

  it.each(names)("of %s has a frozen value on request", (name) => {
    const serializer = serializers[name];
    const value = { rows: [{ id: 1 }, { id: 2 }] };
    const bytes = entryBytes(serializer, fingerprint, storageKey, cached(value));
    for (const isFrozen of [true, false]) {
      const entry = decodeEntry(
        serializer,
        fingerprint,
        storageKey,
        bytes,
        0,
        undefined,
        undefined,
        isFrozen,
      );
      const found = entry?.value as typeof value;

      expect(found).toEqual(value);
      for (const part of [found, found.rows, ...found.rows]) expect(Object.isFrozen(part)).toBe(isFrozen);
    }
  });

  it("is stored uncompressed below the threshold, and if compression would not make it smaller", () => {
    const small = entryBytes(
      compressed(json(), { threshold: 50 }),
      fingerprint,
      storageKey,
      cached("x".repeat(47)),
    );
    const large = entryBytes(
      compressed(json(), { threshold: 50 }),
      fingerprint,
      storageKey,
      cached("x".repeat(48)),
    );
    const dense = entryBytes(compressed(json(), { threshold: 0 }), fingerprint, storageKey, cached("abc"));

    const compressionOf = (bytes: Uint8Array) =>
      decodeEnvelope(Buffer.from(bytes), 1, fingerprint, storageKey)?.compression;
    expect(compressionOf(small)).toBeUndefined();
    expect(compressionOf(large)).toBe("deflate");
    expect(compressionOf(dense)).toBeUndefined();
  });

  it("with a broken payload is a miss, compressed or not", () => {
    const rubbish = (compression: "gzip" | undefined, payload: Uint8Array): Uint8Array =>
      encodeEnvelope(
        { codec: 2, fingerprint, compression, writtenAt: 0, freshUntil: 1, payload },
        storageKey,
      );

    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2 }), (payload) => {
        expect(() =>
          decodeEntry(msgpack(), fingerprint, storageKey, rubbish(undefined, payload)),
        ).not.toThrow();
        expect(decodeEntry(msgpack(), fingerprint, storageKey, rubbish("gzip", payload))).toBeUndefined();
      }),
    );
    expect(
      decodeEntry(msgpack(), fingerprint, storageKey, rubbish(undefined, Uint8Array.of(0xc1, 1))),
    ).toBeUndefined();
  });

  it("with one changed byte is a miss, whatever the serializer", () => {
    for (const name of names) {
      const bytes = entryBytes(serializers[name], fingerprint, storageKey, cached({ id: 1, name: "Ada" }));
      fc.assert(
        fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (index, change) => {
          const damaged = Uint8Array.from(bytes);
          damaged[index]! ^= change;
          expect(decodeEntry(serializers[name], fingerprint, storageKey, damaged)).toBeUndefined();
        }),
      );
    }
  });

  it("that would fill the memory when decompressed is a miss", () => {
    const bomb = deflateSync(new Uint8Array(257 * 2 ** 20), { level: 1 });

    const bytes = encodeEnvelope(
      {
        codec: 1,
        fingerprint,
        compression: "deflate",
        writtenAt: 0,
        freshUntil: 1,
        payload: bomb,
      },
      storageKey,
    );

    expect(decodeEntry(json(), fingerprint, storageKey, bytes)).toBeUndefined();
  });

  it("that cannot be written is refused with the node and the path", () => {
    const write = () =>
      entryBytes(json(), fingerprint, storageKey, cached({ at: new Date() }), { node: "user", key: "1" });

    expect(write).toThrow(SerializationError);
    expect(write).toThrow(/^Node user: The value at \$\.at is a Date, which json\(\) cannot carry/);
    expect(write).toThrow(
      expect.objectContaining({ node: "user", key: "1", path: "$.at", code: "CACHEME_NOT_SERIALIZABLE" }),
    );
  });

  it("that a user's serializer fails to write is refused with that failure as the cause", () => {
    const cause = new Error("no such field");
    const failing: Serializer = {
      codec: 64,
      encode: () => {
        throw cause;
      },
      decode: () => undefined,
    };

    const write = () => entryBytes(failing, fingerprint, storageKey, cached(1), { node: "user" });

    expect(write).toThrow(SerializationError);
    expect(write).toThrow(/Node user: The serializer failed: no such field/);
    expect(write).toThrow(expect.objectContaining({ cause }));
  });
});

describe("released entries of format 2", () => {
  const folder = new URL("./fixtures/format-2/", import.meta.url);

  it("are all here", () => {
    expect(readdirSync(folder).sort()).toEqual(Object.keys(released).sort());
  });

  it.each(Object.entries(released))("%s is still read", (file, { codec, value }) => {
    const bytes = readFileSync(new URL(file, folder));

    const entry = decodeEntry(serializers[codec], classFingerprint("fixture", "1"), releasedKey, bytes);

    expectSame(entry, { value, writtenAt: 1_700_000_000_000.25, freshUntil: 1_700_000_060_000.25 });
  });
});
