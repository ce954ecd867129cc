import { describe, expect, it } from "vitest";
import { Departures } from "../src/policy/departures.js";
import { seeded } from "./support/random.js";

function hashes(count: number): number[] {
  const random = seeded(3);
  return Array.from({ length: count }, () => random() | 0);
}

describe("Departures", () => {
  it("knows nobody at first", () => {
    expect(new Departures().has(1)).toBe(false);
  });

  it("knows the last one, where it is to remember one", () => {
    const departures = new Departures();
    departures.record(0x1234_5678, 1);
    expect(departures.has(0x1234_5678)).toBe(true);
    departures.record(0x7654_3210, 1);
    expect([0x1234_5678, 0x7654_3210].map((hash) => departures.has(hash))).toEqual([false, true]);
  });

  it.each([16, 160, 5_000])("remembers nearly all of the last %i, and none much older", (period) => {
    const departures = new Departures();
    const left = hashes(period * 6);
    for (const hash of left) departures.record(hash, period);
    const known = left.filter((hash) => departures.has(hash));
    const recent = left.slice(-period);
    expect(recent.filter((hash) => departures.has(hash)).length).toBeGreaterThan(period * 0.85);
    expect(known.length).toBeLessThanOrEqual(period * 1.1);
  });

  it("remembers a key from the time it left last", () => {
    const departures = new Departures();
    const [first, ...others] = hashes(100) as [number, ...number[]];
    for (const hash of others) {
      departures.record(first, 20);
      departures.record(hash, 20);
    }
    expect(departures.has(first)).toBe(true);
  });

  it("starts again when it is to remember many more, or many fewer", () => {
    const departures = new Departures();
    departures.record(1, 10);
    departures.record(2, 1_000);
    expect(departures.table.length).toBeGreaterThanOrEqual(2_000);
    departures.record(3, 10);
    expect(departures.table.length).toBeLessThanOrEqual(64);
    expect([1, 2, 3].map((hash) => departures.has(hash))).toEqual([false, false, true]);
  });

  it("gives its memory back when it is cleared", () => {
    const departures = new Departures();
    departures.record(1, 1_000);
    departures.clear();
    expect([departures.table.length, departures.has(1)]).toEqual([0, false]);
    departures.record(2, 10);
    expect(departures.has(2)).toBe(true);
  });
});
