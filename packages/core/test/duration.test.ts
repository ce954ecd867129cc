import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Duration, milliseconds } from "../src/duration.js";
import { ConfigurationError } from "../src/errors.js";

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const unit = fc.constantFrom(...(Object.keys(units) as (keyof typeof units)[]));
const of = (duration: unknown) => milliseconds(duration as Duration, "ttl of the test");

describe("a duration", () => {
  it.each<[Duration, number]>([
    [1, 1],
    [1_500, 1_500],
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["1.5h", 5_400_000],
    ["0.25s", 250],
    ["0.001s", 1],
    ["007s", 7_000],
  ])("%s is %d ms", (duration, expected) => {
    expect(of(duration)).toBe(expected);
  });

  it("is its number of milliseconds, for every whole number of at least 1", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 * 365 * units.d }), (ms) => {
        expect(of(ms)).toBe(ms);
      }),
    );
  });

  it("is its amount times its unit, for every amount and unit", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), unit, (amount, name) => {
        expect(of(`${amount}${name}`)).toBe(amount * units[name]);
      }),
    );
  });

  it("is whole, and within half a millisecond of the given one", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 99_999 }),
        fc.integer({ min: 0, max: 999 }),
        unit,
        (whole, part, name) => {
          const text = `${whole}.${String(part).padStart(3, "0")}`;
          const result = of(`${text}${name}`);
          expect(Number.isInteger(result)).toBe(true);
          expect(Math.abs(result - Number(text) * units[name])).toBeLessThanOrEqual(0.5);
        },
      ),
    );
  });

  it("grows with its amount", () => {
    fc.assert(
      fc.property(fc.nat(99_999), fc.nat(99_999), unit, (a, b, name) => {
        fc.pre(a >= 1 && b > a);
        expect(of(`${b}${name}`)).toBeGreaterThan(of(`${a}${name}`));
      }),
    );
  });

  it.each([
    0,
    -1,
    0.99,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    "0s",
    "0.4ms",
    "-5s",
    "+5s",
    "5 s",
    " 5s",
    "5s ",
    "5s\n",
    "5",
    "s",
    "",
    ".5s",
    "5.s",
    "1e3s",
    "1_000s",
    "5sec",
    "5S",
    "5m30s",
    "0x5s",
    "٥s",
    "99999999999d",
    undefined,
    null,
    true,
    5n,
    Symbol("5s"),
    {},
    [],
    ["5s"],
    new Date(0),
  ])("is not %o", (wrong) => {
    expect(() => of(wrong)).toThrow(ConfigurationError);
    expect(() => of(wrong)).toThrow(
      expect.objectContaining({
        code: "CACHEME_INVALID_DURATION",
        message: expect.stringMatching(
          /^The ttl of the test is (.|\n)*"250ms", "30s", "5m", "2h" or "1d"\.$/,
        ),
      }),
    );
  });

  it("only accepts strings of one amount with one unit", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        fc.pre(!/^\d+(\.\d+)?(ms|s|m|h|d)$/.test(text));
        expect(() => of(text)).toThrow(ConfigurationError);
      }),
    );
  });
});
