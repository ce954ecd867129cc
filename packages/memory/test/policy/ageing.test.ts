import { describe, expect, it } from "vitest";
import { Ageing } from "../../src/policy/ageing.js";
import { Regions } from "../../src/policy/regions.js";
import { FrequencySketch } from "../../src/policy/sketch.js";
import { Slots } from "../../src/table/slots.js";

const KEY = 0x5bd1e995;

/** Creates a sketch in which a key was counted eight times, and the regions of an empty cache. */
function setUp() {
  const sketch = new FrequencySketch();
  sketch.fitOne(100);
  while (sketch.isBusy) sketch.advance(1_000);
  for (let i = 0; i < 8; i++) sketch.increment(KEY);
  const requests = { hits: 0, misses: 0 };
  return { sketch, requests, ageing: new Ageing(sketch, new Regions(new Slots()), requests) };
}

describe("Ageing", () => {
  it("halves all frequencies after ten requests per entry, half of which count for the next time", () => {
    const { sketch, requests, ageing } = setUp();
    const countTo = (now: number) => {
      requests.hits += now - ageing.now;
      ageing.count();
    };
    countTo(5_119);
    expect(sketch.estimate(KEY)).toBe(8);
    countTo(5_120);
    expect(sketch.estimate(KEY)).toBe(4);
    while (sketch.isBusy) ageing.count();
    countTo(5_120 + 2_559);
    expect(sketch.estimate(KEY)).toBe(4);
    countTo(5_120 + 2_560);
    expect(sketch.estimate(KEY)).toBe(2);
  });

  it("does the work in parts, larger ones after more requests", () => {
    const steps = (requestsEach: number) => {
      const { sketch, requests, ageing } = setUp();
      requests.hits = 5_120;
      ageing.count();
      let count = 0;
      for (; sketch.isAgeing; count++) {
        requests.hits += requestsEach;
        ageing.count();
      }
      return count;
    };
    expect(steps(1)).toBeGreaterThan(10);
    expect(steps(100)).toBe(1);
  });

  it("counts the reads since the last insertion, and one at least", () => {
    const { requests, ageing } = setUp();
    ageing.count();
    expect(ageing.now).toBe(1);
    requests.hits = 40;
    requests.misses = 2;
    ageing.count();
    expect(ageing.now).toBe(43);
    ageing.count();
    expect(ageing.now).toBe(44);
  });
});
