import { describe, expect, it } from "vitest";
import { Mark, ON_HIT, RegionBits } from "../../src/policy/mark.js";
import { Regions } from "../../src/policy/regions.js";
import { Slots } from "../../src/table/slots.js";
import { ringOf } from "../check/tlfu.js";
import { fitAll } from "../support/fit-all.js";

function regionsOf(weights: readonly number[]): Regions {
  const slots = new Slots<unknown, unknown>();
  fitAll(slots, 16);
  for (const weight of weights) slots.setWeight(slots.allocate(weight, weight, weight, 0), weight);
  const regions = new Regions(slots);
  fitAll(regions, slots.slotCount);
  return regions;
}

describe("ON_HIT", () => {
  it("counts up to 15 and marks the entry as touched, in every region", () => {
    for (const region of [RegionBits.Window, RegionBits.Protected]) {
      let mark = region | 14;
      mark = ON_HIT[mark]!;
      expect(mark).toBe(region | Mark.Touched | 15);
      mark = ON_HIT[mark]!;
      expect(mark).toBe(region | Mark.Touched | 15);
    }
  });

  it("keeps the region, whatever the mark", () => {
    ON_HIT.forEach((after, before) => {
      expect(after & Mark.Region).toBe(before & Mark.Region);
      expect(after & Mark.Frequency).toBeGreaterThanOrEqual(before & Mark.Frequency);
    });
  });
});

describe("Regions", () => {
  it("keeps the order of entering and sums sizes and weights", () => {
    const regions = regionsOf([3, 5, 7]);
    for (const slot of [0, 1, 2]) regions.enter(slot, regions.window);
    expect([regions.window.oldest, regions.window.size, regions.window.weight]).toEqual([0, 3, 15]);
    regions.move(0, regions.window, regions.probation);
    expect([regions.window.oldest, regions.window.weight]).toEqual([1, 12]);
    expect([regions.probation.oldest, regions.probation.weight]).toEqual([0, 3]);
    expect(regions.held).toBe(3);
  });

  it("makes the oldest the newest, in its own region, untouched", () => {
    const regions = regionsOf([1, 1, 1]);
    for (const slot of [0, 1, 2]) regions.enter(slot, regions.window);
    regions.marks[0] = ON_HIT[regions.marks[0]!]!;
    regions.renewOldest(regions.window);
    expect(ringOf(regions, regions.window)).toEqual([1, 2, 0]);
    expect(regions.marks[0]! & Mark.Touched).toBe(0);
    regions.leave(1, regions.window);
    regions.enter(1, regions.window);
    expect(ringOf(regions, regions.window)).toEqual([2, 0, 1]);
  });

  it("is empty after the last entry has left, and can be entered again", () => {
    const regions = regionsOf([4]);
    regions.enter(0, regions.protected);
    regions.leave(0, regions.protected);
    expect([regions.protected.oldest, regions.protected.size, regions.protected.weight]).toEqual([-1, 0, 0]);
    regions.enter(0, regions.window);
    expect(ringOf(regions, regions.window)).toEqual([0]);
  });

  it("clears the touch, not the frequency, of a moved entry", () => {
    const regions = regionsOf([1]);
    regions.marks[0] = 6;
    regions.enter(0, regions.window);
    regions.marks[0] = ON_HIT[regions.marks[0]!]!;
    expect(regions.marks[0]! & Mark.Touched).toBe(Mark.Touched);
    regions.move(0, regions.window, regions.protected);
    expect(regions.marks[0]! & Mark.Touched).toBe(0);
    expect(regions.marks[0]! & Mark.Frequency).toBe(7);
    expect(regions.regionOf(0)).toBe(regions.protected);
  });
});
