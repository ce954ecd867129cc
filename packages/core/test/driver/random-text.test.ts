import { describe, expect, it } from "vitest";
import { randomText } from "../../src/driver/random-text.js";

describe("randomText", () => {
  it("draws 128 bits that never come again, past the end of its pool", () => {
    const drawn = Array.from({ length: 2_000 }, (_, index) =>
      randomText(index % 2 === 0 ? "hex" : "base64url"),
    );
    expect(drawn.filter((text) => /^[0-9a-f]{32}$/.test(text))).toHaveLength(1_000);
    expect(drawn.filter((text) => /^[\w-]{22}$/.test(text))).toHaveLength(1_000);
    expect(
      new Set(
        drawn.map((text) => Buffer.from(text, text.length === 32 ? "hex" : "base64url").toString("hex")),
      ).size,
    ).toBe(2_000);
  });

  it("sets every bit about as often as not", () => {
    const counts = new Array<number>(16).fill(0);
    for (let draw = 0; draw < 4_000; draw++) {
      for (const [index, byte] of Buffer.from(randomText("hex"), "hex").entries()) counts[index]! += byte;
    }
    // The mean of a byte is 127.5, with a deviation of 1.2 over 4,000 draws.
    for (const sum of counts) expect(Math.abs(sum / 4_000 - 127.5)).toBeLessThan(12);
  });
});
