import { xxh32 as native } from "@node-rs/xxhash";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { native as found, portable, xxh32 } from "../src/hash.js";

const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe("the native hash and the one in JavaScript", () => {
  it("are equal for all bytes and seeds, so that entries are shared by processes with and without the native one", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), seeds, (bytes, seed) => {
        expect(portable(bytes, seed)).toBe(native(bytes, seed));
      }),
      { numRuns: 2_000 },
    );
  });

  it("are equal for strings, which are hashed as UTF-8", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 100 }), seeds, (text, seed) => {
        expect(portable(text, seed)).toBe(native(text, seed));
        expect(portable(text, seed)).toBe(portable(Buffer.from(text), seed));
      }),
      { numRuns: 1_000 },
    );
  });

  it("are equal for halves of surrogate pairs", () => {
    expect(portable("a\ud800b", 1)).toBe(native("a\ud800b", 1));
  });

  it("are equal for a megabyte", () => {
    const bytes = Buffer.from(Array.from({ length: 2 ** 20 }, (_, index) => (index * 2_654_435_761) >>> 24));
    expect(portable(bytes, 0xffff_ffff)).toBe(native(bytes, 0xffff_ffff));
  });
});

describe("xxh32", () => {
  it("is the native hash if that is installed", () => {
    expect(found()).toBe(native);
  });

  it("is found beside the program, if a bundler removed the module's address or put that of the build in its place", () => {
    expect(found([undefined, import.meta.filename])).toBe(native);
    expect(found(["file:///of/the/build/index.js", import.meta.filename])).toBe(native);
    expect(found([undefined, undefined])).toBeUndefined();
  });

  it("answers the published hash of nothing, and that of known texts", () => {
    expect(xxh32("", 0)).toBe(0x02cc_5d05);
    expect(xxh32("Nobody inspects the spammish repetition", 0)).toBe(0xe229_3b2f);
  });
});
