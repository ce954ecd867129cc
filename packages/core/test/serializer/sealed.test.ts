import { createCipheriv, createHmac, createSecretKey } from "node:crypto";
import { inspect } from "node:util";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeEnvelope, encodeEnvelope } from "../../src/entry/envelope.js";
import {
  type CachemeEvents,
  type CompressionOptions,
  compressed,
  encrypted,
  json,
  type KeyOptions,
  msgpack,
  type SecretKey,
  type Serializer,
  signed,
  v8,
} from "../../src/index.js";
import { countingNode, remoteOnly, space } from "../support/space.js";

afterEach(() => vi.restoreAllMocks());

const one: SecretKey = { id: "one", key: Buffer.alloc(32, 1) };
const two: SecretKey = { id: "two", key: Buffer.alloc(32, 2) };
const context = { key: "cacheme:user:1:1" };

const kinds = [
  ["encrypted", encrypted],
  ["signed", signed],
] as const;

describe.each(kinds)("%s", (name, seal) => {
  const by = (...keys: SecretKey[]) => seal(msgpack(), { keys });

  it("brings back what the inner serializer carries", () => {
    const serializer = by(one);
    fc.assert(
      fc.property(fc.anything({ withBigInt: true, withDate: true, withMap: true }), (value) => {
        let plain: Uint8Array;
        try {
          plain = msgpack().encode(value);
        } catch {
          return; // The inner serializer refuses it.
        }
        expect(serializer.decode(serializer.encode(value, context), context)).toEqual(
          msgpack().decode(plain),
        );
      }),
    );
  });

  it("refuses the bytes under another key", () => {
    const bytes = by(one).encode("value", context);
    expect(() => by(one).decode(bytes, { key: "cacheme:user:2:1" })).toThrow();
  });

  it("refuses bytes of which any bit was changed, or that were cut or extended", () => {
    const bytes = Buffer.from(by(one).encode({ id: 1 }, context));
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => by(one).decode(changed, context), `bit ${bit}`).toThrow();
    }
    for (let length = 0; length < bytes.length; length++)
      expect(() => by(one).decode(bytes.subarray(0, length), context)).toThrow();
    expect(() => by(one).decode(Buffer.concat([bytes, Buffer.of(0)]), context)).toThrow();
  });

  it("writes with the first key and reads with all", () => {
    const [before, during, after] = [by(one), by(two, one), by(two)];
    const old = before.encode("old", context);
    expect(during.decode(old, context)).toBe("old");
    const renewed = during.encode("new", context);
    expect(after.decode(renewed, context)).toBe("new");
    expect(() => after.decode(old, context)).toThrow(`${name}() has no key "one"`);
    expect(() => seal(msgpack(), { keys: [{ ...two, id: "one" }] }).decode(old, context)).toThrow();
  });

  it("keeps entries of another inner serializer, of no seal and of the other seal apart", () => {
    const bytes = by(one).encode("value", context);
    expect(() => seal(v8(), { keys: [one] }).decode(bytes, context)).toThrow("another serializer");
    const codecs = [msgpack(), encrypted(msgpack(), { keys: [one] }), signed(msgpack(), { keys: [one] })];
    expect(new Set(codecs.map(({ codec }) => codec)).size).toBe(3);
  });

  it.each<CompressionOptions["algorithm"]>(["gzip", "deflate", "brotli"])(
    "compresses with %s inside",
    (algorithm) => {
      const text = "the same words again and again, ".repeat(100);
      const serializer = seal(compressed(json(), { algorithm }), { keys: [one] });
      const bytes = serializer.encode(text, context);
      expect(bytes.length).toBeLessThan(text.length / 5);
      expect(serializer.decode(bytes, context)).toBe(text);
      // The algorithm is a part of the entry, so readers need no matching settings.
      expect(seal(json(), { keys: [one] }).decode(bytes, context)).toBe(text);
    },
  );

  it("lets a payload grow to the serializer's limit only", () => {
    const serializer = seal(compressed(json(), { maxDecompressedSize: 2_000 }), { keys: [one] });
    const large = seal(compressed(json()), { keys: [one] }).encode("a".repeat(3_000), context);
    expect(() => serializer.decode(large, context)).toThrow();
    const stored = serializer.encode("a".repeat(3_000), context);
    expect(serializer.decode(stored, context)).toBe("a".repeat(3_000));
  });

  it("takes a KeyObject, and shows no key", () => {
    const serializer = seal(msgpack(), {
      keys: [{ id: "one", key: createSecretKey(one.key as Uint8Array) }],
    });
    expect(serializer.decode(by(one).encode(1, context), context)).toBe(1);
    const bytes = Buffer.from("do not show these 32 bytes, ever");
    expect(inspect(seal(msgpack(), { keys: [{ id: "one", key: bytes }] }), { depth: 9 })).not.toMatch(
      /show|646f/,
    );
  });

  it("keeps a key of its own copy of the bytes", () => {
    const key = Buffer.alloc(32, 1);
    const serializer = seal(msgpack(), { keys: [{ id: "one", key }] });
    key.fill(0);
    expect(serializer.decode(by(one).encode(1, context), context)).toBe(1);
  });

  it.each<[unknown, RegExp]>([
    [undefined, /expected a list of keys/],
    [{ keys: [] }, /expected a list of keys/],
    [{ keys: [{ id: "", key: one.key }] }, /expected an id of 1 to 64 bytes/],
    [{ keys: [{ id: "é".repeat(33), key: one.key }] }, /expected an id of 1 to 64 bytes/],
    [{ keys: [undefined] }, /expected an id/],
    [{ keys: [{ id: "\ud800", key: one.key }] }, /an id of whole characters/],
    [{ keys: [one, { ...two, id: "one" }] }, /got "one" twice/],
    [{ keys: [{ id: "a", key: Buffer.alloc(16) }] }, /expected 32 bytes as the key "a".*got 16 bytes/],
    [{ keys: [{ id: "a", key: "a secret text of thirty-two bytes" }] }, /got a value of type string/],
    [{ keys: [{ id: "a", key: createSecretKey(Buffer.alloc(16)) }] }, /expected 32 bytes/],
  ])("refuses the options %o", (options, message) => {
    let error: unknown;
    try {
      seal(msgpack(), options as KeyOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ code: "CACHEME_INVALID_OPTION" });
    expect((error as Error).message).toMatch(message);
    expect((error as Error).message).not.toContain("secret text");
  });

  it.each([undefined, null, {}, "msgpack", { ...msgpack(), codec: 0 }])("refuses %o inside", (inner) => {
    expect(() => seal(inner as Serializer, { keys: [one] })).toThrow(
      expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }),
    );
  });

  it("refuses to write or read without the entry's key", () => {
    expect(() => by(one).encode(1)).toThrow(/expected the entry's key/);
    expect(() => by(one).decode(by(one).encode(1, context))).toThrow(/expected the entry's key/);
  });
});

describe("encrypted", () => {
  it("shows nothing of the value, and no two entries alike", () => {
    const serializer = encrypted(json(), { keys: [one] });
    const [first, second] = [
      serializer.encode("Ada Lovelace", context),
      serializer.encode("Ada Lovelace", context),
    ];
    expect(Buffer.from(first).toString("latin1")).not.toContain("Ada");
    expect(first).not.toEqual(second);
  });

  it("reads AES-256-GCM as other programs write it", () => {
    const header = Buffer.concat([Buffer.of(1, 1, 0, 3), Buffer.from("one")]);
    const nonce = Buffer.alloc(12, 9);
    const cipher = createCipheriv("aes-256-gcm", one.key as Uint8Array, nonce);
    cipher.setAAD(Buffer.concat([header, Buffer.from(context.key)]));
    const text = Buffer.concat([cipher.update('{"id":1}'), cipher.final()]);
    const bytes = Buffer.concat([header, nonce, text, cipher.getAuthTag()]);
    expect(encrypted(json(), { keys: [one] }).decode(bytes, context)).toEqual({ id: 1 });
  });

  it("is refused inside of compressed()", () => {
    expect(() => compressed(encrypted(json(), { keys: [one] }))).toThrow(
      /Write encrypted\(compressed\(…\)\)/,
    );
  });
});

describe("signed", () => {
  it("reads HMAC-SHA-256 as other programs write it, and leaves the payload readable", () => {
    const header = Buffer.concat([Buffer.of(1, 1, 0, 3), Buffer.from("one")]);
    const bound = Buffer.concat([header, Buffer.from(context.key)]);
    const length = Buffer.of(0, 0, 0, bound.length);
    const payload = Buffer.from('{"id":1}');
    const mac = createHmac("sha256", one.key as Uint8Array)
      .update(length)
      .update(bound)
      .update(payload)
      .digest();
    const bytes = Buffer.concat([header, mac, payload]);
    expect(signed(json(), { keys: [one] }).decode(bytes, context)).toEqual({ id: 1 });
    expect(Buffer.from(signed(json(), { keys: [one] }).encode({ id: 1 }, context))).toEqual(bytes);
  });

  it("may be compressed", () => {
    const serializer = compressed(signed(json(), { keys: [one] }));
    expect(serializer.decode(serializer.encode("value", context), context)).toBe("value");
  });
});

/** A class with a sealed value in the storage, and the means of an attacker who can write there. */
async function stored(serializer: Serializer) {
  const { cacheme, clock, remote } = await space();
  const { Counting, loads } = countingNode({ name: "item", caches: remoteOnly, serializer }, (id) => ({
    id,
  }));
  await cacheme.get(new Counting(1));
  const events: CachemeEvents["unreadable"][] = [];
  cacheme.on("unreadable", (event) => events.push(event));
  /** Writes the payload of an entry, perhaps changed, under a key, with a valid checksum. */
  const forge = (from: string, to: string, change: (payload: Buffer) => Buffer) => {
    const record = remote.records.get(from)!;
    const bytes = Buffer.from(record.bytes);
    const fingerprint = bytes.readUInt32BE(4);
    const envelope = decodeEnvelope(bytes, serializer.codec, fingerprint, from)!;
    const payload = change(Buffer.from(bytes.subarray(envelope.payloadStart, envelope.payloadEnd)));
    const forged = encodeEnvelope({ ...envelope, codec: serializer.codec, fingerprint, payload }, to);
    remote.records.set(to, { ...record, bytes: forged });
  };
  return { cacheme, clock, remote, Counting, loads, events, forge };
}

describe.each(kinds)("entries that are %s", (_, seal) => {
  const serializer = seal(msgpack(), { keys: [one] });
  const [first, second] = ["cacheme:item:1:1", "cacheme:item:2:1"];

  it("come back", async () => {
    const { cacheme, Counting, loads } = await stored(serializer);
    expect(await cacheme.get(new Counting(1))).toEqual({ id: 1 });
    expect((await cacheme.peek(new Counting(1)))?.value).toEqual({ id: 1 });
    expect(loads).toEqual([1]);
  });

  it("are a miss if somebody has changed them, reported once a minute", async () => {
    const { cacheme, clock, Counting, loads, events, forge } = await stored(serializer);
    const flip = (payload: Buffer) =>
      Buffer.concat([payload.subarray(0, -1), Buffer.of(payload.at(-1)! ^ 1)]);
    for (let round = 0; round < 3; round++) {
      forge(first, first, flip);
      expect(await cacheme.get(new Counting(1))).toEqual({ id: 1 });
    }
    expect(loads).toEqual([1, 1, 1, 1]);
    expect(events).toMatchObject([{ node: "item", storageKey: first, fault: "undecodable" }]);
    clock.advance(60_000);
    forge(first, first, flip);
    await cacheme.get(new Counting(1));
    expect(events).toHaveLength(2);
  });

  it("are a miss under another key, although the checksum is right", async () => {
    const { cacheme, Counting, loads, events, forge } = await stored(serializer);
    forge(first, second, (payload) => payload);
    expect(await cacheme.get(new Counting(2))).toEqual({ id: 2 });
    expect(loads).toEqual([1, 2]);
    expect(events).toMatchObject([{ fault: "undecodable", storageKey: second }]);
  });

  it("are bound to the key that a long key is shortened to", async () => {
    const { cacheme, remote } = await space();
    const { Counting } = countingNode(
      { name: "n".repeat(60), caches: remoteOnly, serializer },
      () => "value",
    );
    class Long extends Counting {
      override key() {
        return "k".repeat(500);
      }
    }
    Long.meta = { ...Counting.meta };
    await cacheme.get(new Long(1));
    expect([...remote.records.keys()][0]).toContain("~sha256~");
    expect(await cacheme.get(new Long(1))).toBe("value");
  });

  it("stay out of the storage if a serializer around them passes no key on, which is reported", async () => {
    const around: Serializer = {
      codec: 90,
      encode: (v) => serializer.encode(v),
      decode: (b) => serializer.decode(b),
    };
    const { cacheme, remote } = await space();
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const { Counting } = countingNode(
      { name: "item", caches: remoteOnly, serializer: around },
      () => "value",
    );
    expect(await cacheme.get(new Counting(1))).toBe("value");
    expect(remote.records.size).toBe(0);
    expect(String(warn.mock.calls[0]?.[0])).toContain("must pass it on");
  });
});
