import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TimerWheel } from "../../src/expiry/timer-wheel.js";
import { members } from "../check/links.js";
import { fitAll } from "../support/fit-all.js";

const YEAR = 365 * 24 * 3_600_000;
const origin = 1_750_000_000_000;

/**
 * Takes due slots and adds early ones again, as `Expiry` does. Returns the slots whose deadline has
 * passed.
 */
function drain(wheel: TimerWheel, deadlines: readonly number[], now: number): number[] {
  const over: number[] = [];
  wheel.advance(now);
  for (let slot = wheel.due(); slot >= 0; slot = wheel.due()) {
    wheel.remove(slot);
    if (deadlines[slot]! <= now) over.push(slot);
    else wheel.add(slot, deadlines[slot]!);
  }
  return over;
}

const ttls = fc.array(
  fc.oneof(
    fc.integer({ min: 1, max: 5_000 }),
    fc.integer({ min: 1, max: 40_000_000 }),
    fc.double({ min: 1, max: 10 * YEAR, noNaN: true }),
  ),
  { minLength: 1, maxLength: 40 },
);
const jumps = fc.array(fc.oneof(fc.integer({ min: 0, max: 200 }), fc.integer({ min: 0, max: YEAR })), {
  maxLength: 40,
});

describe("TimerWheel", () => {
  it("returns each slot within two ticks after its deadline and never before, from 1 ms to 10 years", () => {
    fc.assert(
      fc.property(ttls, jumps, (times, steps) => {
        const wheel = new TimerWheel(origin);
        fitAll(wheel, times.length);
        const deadlines = times.map((ttl) => origin + ttl);
        deadlines.forEach((deadline, slot) => void wheel.add(slot, deadline));
        const left = new Set(deadlines.keys());
        let now = origin;
        for (const step of [...steps, 10 * YEAR]) {
          now += step;
          for (const slot of drain(wheel, deadlines, now)) expect(left.delete(slot)).toBe(true);
          for (const slot of left) expect(deadlines[slot]).toBeGreaterThan(now - 64);
          expect(wheel.size).toBe(left.size);
        }
        expect(drain(wheel, deadlines, now + 64)).toHaveLength(left.size);
      }),
      { numRuns: 300 },
    );
  });

  it("returns when the next slot is due, never later than the first deadline's tick", () => {
    fc.assert(
      fc.property(ttls, fc.integer({ min: 0, max: YEAR }), (times, begun) => {
        const wheel = new TimerWheel(origin);
        fitAll(wheel, times.length);
        wheel.advance(origin + begun);
        const deadlines = times.map((ttl) => origin + begun + ttl);
        deadlines.forEach((deadline, slot) => void wheel.add(slot, deadline));
        let over: number[] = [];
        for (let turns = 0; over.length === 0; turns++) {
          expect(turns).toBeLessThan(12);
          const next = wheel.nextDue();
          expect(next).toBeLessThanOrEqual(Math.min(...deadlines) + 64);
          over = drain(wheel, deadlines, next);
        }
      }),
    );
  });

  it("removes a slot from any list, also from the due ones", () => {
    const wheel = new TimerWheel(0);
    fitAll(wheel, 3);
    [10, 10, 5_000].forEach((deadline, slot) => void wheel.add(slot, deadline));
    wheel.advance(100);
    wheel.remove(0);
    wheel.remove(2);
    expect(wheel.due()).toBe(1);
    wheel.remove(1);
    expect(wheel.due()).toBe(-1);
    expect(wheel.nextDue()).toBe(Number.POSITIVE_INFINITY);
    for (let list = 0; list < wheel.links.heads; list++) expect(members(wheel.links, list)).toEqual([]);
  });

  it("ignores a time before its current one", () => {
    const wheel = new TimerWheel(1_000);
    fitAll(wheel, 1);
    wheel.advance(100_000);
    wheel.add(0, 50_000);
    wheel.advance(2_000);
    expect(wheel.due()).toBe(-1);
    expect(drain(wheel, [50_000], 100_100)).toEqual([0]);
  });
});
