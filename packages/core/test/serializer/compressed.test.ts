import { describe, expect, it } from "vitest";
import { ConfigurationError } from "../../src/errors.js";
import { type CompressionOptions, compressed, decompress } from "../../src/serializer/compressed.js";
import { json } from "../../src/serializer/json.js";

const algorithms = ["gzip", "deflate", "brotli"] as const;
const text = new TextEncoder().encode("the same words again and again, ".repeat(100));

describe("compressed", () => {
  it.each(algorithms)("makes bytes with %s that decompress reads back", (algorithm) => {
    const { compression } = compressed(json(), { algorithm });

    const bytes = compression?.compress(text) ?? text;

    expect(bytes.length).toBeLessThan(text.length / 10);
    expect(Buffer.from(decompress(algorithm, bytes, text.length)).equals(text)).toBe(true);
  });

  it.each(algorithms)("stops decompressing %s at the limit", (algorithm) => {
    const bytes = compressed(json(), { algorithm }).compression?.compress(text) ?? text;

    expect(() => decompress(algorithm, bytes, text.length - 1)).toThrow(RangeError);
  });

  it("keeps the codec and the serializer's bytes, because the envelope marks the compression", () => {
    const serializer = compressed(json());

    expect(serializer.codec).toBe(json().codec);
    expect(serializer.encode({ a: 1 })).toEqual(json().encode({ a: 1 }));
    expect(serializer.compression).toMatchObject({ threshold: 1_024, algorithm: "deflate" });
  });

  it("compresses more at a higher level", () => {
    const varied = new TextEncoder().encode(Array.from({ length: 3_000 }, (_, i) => `${i * 7919}`).join());
    const sizeAt = (level: number): number =>
      compressed(json(), { algorithm: "gzip", level }).compression?.compress(varied).length ?? 0;

    expect(sizeAt(9)).toBeLessThan(sizeAt(1));
  });

  it.each([
    [{ algorithm: "lzma" }, /algorithm of compressed\(\) is "lzma".*gzip, deflate, brotli/],
    [{ algorithm: "toString" }, /algorithm of compressed\(\) is "toString"/],
    [{ level: 0 }, /level of compressed\(\) is 0.*from 1 to 9 for deflate/],
    [{ level: 12, algorithm: "brotli" }, /level of compressed\(\) is 12.*from 0 to 11 for brotli/],
    [{ level: 1.5 }, /level of compressed\(\) is 1.5/],
    [{ maxDecompressedSize: 0 }, /maxDecompressedSize of compressed\(\) is 0.*whole number of bytes from 1/],
    [{ maxDecompressedSize: "64MB" }, /maxDecompressedSize of compressed\(\) is "64MB"/],
    [{ threshold: -1 }, /threshold of compressed\(\) is -1/],
    [{ threshold: Number.NaN }, /threshold of compressed\(\) is NaN/],
  ])("refuses the options %o", (options, message) => {
    const make = () => compressed(json(), options as CompressionOptions);

    expect(make).toThrow(ConfigurationError);
    expect(make).toThrow(message);
    expect(make).toThrow(expect.objectContaining({ code: "CACHEME_INVALID_OPTION" }));
  });
});
