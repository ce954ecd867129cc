import { crc32 } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  classFingerprint,
  decodeEnvelope,
  type Envelope,
  encodeEnvelope,
  type ReadEnvelope,
} from "../../src/entry/envelope.js";
import { hashOf } from "../../src/hash.js";

const envelope: Envelope = {
  codec: 2,
  fingerprint: 0xdeadbeef,
  compression: undefined,
  writtenAt: 1_700_000_000_123.5,
  freshUntil: 1_700_000_060_123.5,
  payload: new Uint8Array([1, 2, 3]),
};

const key = "cacheme:user:1:1";

/** Decodes as a reader of the class would. */
function decode(bytes: Uint8Array, { codec, fingerprint }: Envelope, under = key): ReadEnvelope | undefined {
  return decodeEnvelope(
    Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    codec,
    fingerprint,
    under,
  );
}

const envelopes = fc.record({
  codec: fc.integer({ min: 1, max: 255 }),
  fingerprint: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  compression: fc.constantFrom(undefined, "gzip", "deflate", "brotli"),
  writtenAt: fc.double({ noNaN: true, noDefaultInfinity: true }),
  freshUntil: fc.double({ noNaN: true }),
  generations: fc.option(fc.string({ unit: "grapheme", maxLength: 300 }), { nil: undefined }),
  isError: fc.boolean(),
  kept: fc.option(fc.uint8Array({ maxLength: 300 }), { nil: undefined }),
  payload: fc.uint8Array({ maxLength: 300 }),
} as const);

describe("an envelope", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(envelopes, (each) => {
        const bytes = encodeEnvelope(each, key);
        const decoded = decode(bytes, each);

        const { codec: _codec, fingerprint: _fingerprint, payload, kept, ...rest } = each;
        expect(decoded).toMatchObject(rest);
        const { keptStart = 0, payloadStart } = decoded ?? {};
        const keptBytes = keptStart === 0 ? undefined : bytes.slice(keptStart, payloadStart);
        expect(keptBytes).toEqual(kept && Buffer.from(kept));
        expect(bytes.slice(decoded?.payloadStart, decoded?.payloadEnd)).toEqual(Buffer.from(payload));
      }),
    );
  });

  it("has the layout that released readers know", () => {
    const bytes = Buffer.from(encodeEnvelope({ ...envelope, compression: "brotli" }, key));

    expect(bytes.length).toBe(28 + 3);
    expect([...bytes.subarray(0, 4)]).toEqual([2, 3, 2, 0]);
    expect(bytes.readUInt32BE(4)).toBe(0xdeadbeef);
    expect(bytes.readDoubleBE(8)).toBe(envelope.writtenAt);
    expect(bytes.readDoubleBE(16)).toBe(envelope.freshUntil);
    expect([...bytes.subarray(24, 27)]).toEqual([1, 2, 3]);
    expect(bytes.readUInt32LE(27)).toBe(crc32(bytes.subarray(0, 27), hashOf(key)));
  });

  it("has its generations before the payload, and says so in its flags", () => {
    const bytes = Buffer.from(
      encodeEnvelope({ ...envelope, compression: "gzip", generations: "a\nid" }, key),
    );

    expect(bytes[1]).toBe(0b1001);
    expect(bytes.readUInt16BE(24)).toBe(4);
    expect(bytes.toString("utf8", 26, 30)).toBe("a\nid");
    expect([...bytes.subarray(30, 33)]).toEqual([1, 2, 3]);
    expect(bytes.length).toBe(28 + 2 + 4 + 3);
  });

  it("whose section of generations is longer than its bytes is a miss", () => {
    for (const length of [0, 1, 3]) {
      const bytes = Buffer.from(encodeEnvelope({ ...envelope, payload: new Uint8Array(length) }, key));
      bytes[1] = 0b1000;
      bytes.fill(0xff, 24, 24 + length);
      bytes.writeUInt32LE(crc32(bytes.subarray(0, 24 + length), hashOf(key)), 24 + length);

      expect(decode(bytes, envelope)).toBeUndefined();
    }
  });

  it("refuses generations that are longer than the section can be", () => {
    expect(() => encodeEnvelope({ ...envelope, generations: "x".repeat(2 ** 16) }, key)).toThrow(RangeError);
  });

  it("says where its payload is, wherever the bytes begin", () => {
    const bytes = encodeEnvelope(envelope, key);
    const larger = new Uint8Array(100).fill(7);
    larger.set(bytes, 13);
    const part = larger.subarray(13, 13 + bytes.length);

    const decoded = decode(part, envelope);

    expect([...part.subarray(decoded?.payloadStart, decoded?.payloadEnd)]).toEqual([1, 2, 3]);
  });

  it("of another codec or class is a miss", () => {
    const bytes = encodeEnvelope(envelope, key);

    expect(decode(bytes, { ...envelope, codec: 3 })).toBeUndefined();
    expect(decode(bytes, { ...envelope, fingerprint: 1 })).toBeUndefined();
  });

  it("under another key is a miss", () => {
    fc.assert(
      fc.property(envelopes, fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (each, one, other) => {
        fc.pre(one !== other);
        expect(decode(encodeEnvelope(each, one), each, other)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });

  it("that is cut off, or followed by other bytes, is a miss", () => {
    const bytes = encodeEnvelope(envelope, key);

    for (let length = 0; length < bytes.length; length++) {
      expect(decode(bytes.subarray(0, length), envelope)).toBeUndefined();
    }
    expect(decode(Buffer.concat([bytes, Buffer.alloc(1)]), envelope)).toBeUndefined();
  });

  it("with any one bit flipped is a miss", () => {
    const bytes = encodeEnvelope(envelope, key);

    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = Uint8Array.from(bytes);
      damaged[bit >>> 3]! ^= 1 << (bit & 7);
      expect(decode(damaged, envelope)).toBeUndefined();
    }
  });

  it("is a miss if its times are invalid, or a later format's bits are set, even with a correct checksum", () => {
    const misses = [
      { ...envelope, writtenAt: Number.NaN },
      { ...envelope, writtenAt: Number.POSITIVE_INFINITY },
      { ...envelope, freshUntil: Number.NaN },
    ];
    for (const miss of misses) expect(decode(encodeEnvelope(miss, key), envelope)).toBeUndefined();

    for (const flags of [0b0000_1000, 0b0010_0000, 0b0100_0000, 0b1000_0000, 0b0000_0100, 0b0000_0111]) {
      expect(decode(withFlags(flags), envelope)).toBeUndefined();
    }
    expect(decode(withFlags(0b0000_0001), envelope)).toBeDefined();
  });

  it("is never made of foreign bytes, and decoding never throws", () => {
    const header = fc.constantFrom(Uint8Array.of(), Uint8Array.of(2, 0, 2, 0, 0xde, 0xad, 0xbe, 0xef));
    fc.assert(
      fc.property(header, fc.uint8Array({ maxLength: 100 }), (start, rest) => {
        expect(decode(Buffer.concat([start, rest]), envelope)).toBeUndefined();
      }),
      { numRuns: 2_000 },
    );
  });
});

/** Returns the envelope with other flags and their checksum, as a later version would write it. */
function withFlags(flags: number): Uint8Array {
  const known = ["gzip", "deflate", "brotli"] as const;
  const compression = known[flags - 1];
  if (compression !== undefined) return encodeEnvelope({ ...envelope, compression }, key);
  const bytes = Buffer.from(encodeEnvelope(envelope, key));
  bytes[1] = flags;
  const end = bytes.length - 4;
  bytes.writeUInt32LE(crc32(bytes.subarray(0, end), hashOf(key)), end);
  return bytes;
}

describe("a class's fingerprint", () => {
  it("is the same in every release", () => {
    expect(classFingerprint("user", "1")).toBe(0x1743ebff);
    expect(classFingerprint("über-node", 2)).toBe(0xe240ca1);
  });

  it("differs by name and by version", () => {
    const names = Array.from({ length: 2_000 }, (_, i) => classFingerprint(`node${i}`, "1"));
    const versions = Array.from({ length: 2_000 }, (_, i) => classFingerprint("node", i));

    expect(new Set([...names, ...versions]).size).toBe(4_000);
  });
});
