import { describe, expect, it } from "vitest";
import { hashOf } from "../src/hash.js";

describe("the hash of a string", () => {
  it("is the same in every release", () => {
    expect(hashOf("")).toBe(0xab3e_7c0b);
    expect(hashOf("cacheme:user:1:1")).toBe(0xfb3e_37cc);
    expect(hashOf("Zoë 🦊")).toBe(0x686f_6539);
  });

  it("differs for numbered keys in about half of the bits", () => {
    const hashes = Array.from({ length: 10_000 }, (_, index) => hashOf(`user:${index}`));

    expect(new Set(hashes).size).toBe(10_000);
    for (let bit = 0; bit < 32; bit++) {
      const set = hashes.filter((hash) => (hash >>> bit) & 1).length;
      expect(set).toBeGreaterThan(4_700);
      expect(set).toBeLessThan(5_300);
    }
  });
});
