import { describe, expect, it } from "vitest";
import { RecencyWatch } from "../../src/policy/recency-watch.js";
import { seeded } from "../support/random.js";

const SHARE = 0.02;

/**
 * Lets keys leave and come back after `delay` requests, with `hitsEach` hits for each. Returns the
 * sum of the advice.
 */
function advice(watch: RecencyWatch, entries: number, delay: number, hitsEach: number): number {
  const random = seeded(11);
  let hits = 0;
  const gone: number[] = [];
  let wider = 0;
  for (let now = 0; now < entries * 8; now += 2) {
    const hash = random() | 0;
    watch.addGhost(hash, now, entries, entries);
    gone.push(hash);
    const back = gone[gone.length - 1 - delay / 2];
    if (back === undefined) continue;
    hits += hitsEach;
    wider += watch.advise(back, now, entries, { stride: 1, hits, share: SHARE + wider / entries });
  }
  return wider;
}

describe("RecencyWatch", () => {
  it.each([100, 4_000, 40_000])(
    "advises most of a cache of %i if keys come back late and nothing is hit",
    (entries) => {
      expect(advice(new RecencyWatch(), entries, entries * 0.6, 0)).toBeGreaterThan(entries * 0.97);
    },
  );

  it("advises nothing that could cost as many hits as it brings", () => {
    expect(advice(new RecencyWatch(), 1_000, 600, 1)).toBe(0);
    expect(advice(new RecencyWatch(), 1_000, 400, 2)).toBe(0);
    expect(advice(new RecencyWatch(), 1_000, 400, 1)).toBeGreaterThan(0);
  });

  it("ignores keys that come back later than the cache could have kept them", () => {
    expect(advice(new RecencyWatch(), 1_000, 1_100, 0)).toBe(0);
  });

  it("lets later hits cancel the lead", () => {
    const watch = new RecencyWatch();
    advice(watch, 1_000, 200, 0);
    expect(Math.min(...watch.leads)).toBeGreaterThan(500);
    watch.addGhost(7, 9_000, 1_000, 1_000);
    expect(watch.advise(7, 9_001, 1_000, { stride: 1, hits: 10_000, share: SHARE })).toBe(0);
    expect([...watch.leads]).toEqual([1, 1, 1]);
  });
});
