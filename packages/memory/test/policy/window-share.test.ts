import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WindowShare } from "../../src/policy/window-share.js";

describe("WindowShare", () => {
  it("widens the window by an entry for each key that came back early", () => {
    const window = new WindowShare();
    const before = window.share;
    for (let n = 0; n < 10; n++) window.widen(1, 1_000);
    expect(window.share * 1_000).toBeCloseTo(before * 1_000 + 10);
  });

  it("narrows the window more, the narrower probation is", () => {
    const wide = new WindowShare();
    const narrow = new WindowShare();
    for (const window of [wide, narrow]) for (let n = 0; n < 500; n++) window.widen(1, 1_000);
    wide.narrow(1_000, 160);
    narrow.narrow(1_000, 16);
    expect(narrow.share).toBeLessThan(wide.share);
  });

  it("rests if touched entries balance early returns, with probation as wide as the edge", () => {
    const window = new WindowShare();
    for (let n = 0; n < 300; n++) window.widen(1, 1_000);
    const before = window.share;
    for (let n = 0; n < 7; n++) window.widen(1, 1_000);
    for (let n = 0; n < 10; n++) window.narrow(1_000, window.edge(1_000));
    expect(window.share).toBeCloseTo(before);
  });

  it("limits the window to its share of the total, and to 1 at least", () => {
    const window = new WindowShare();
    window.resize(3);
    expect(window.limit).toBe(1);
    window.resize(10_000);
    expect(window.limit).toBe(100);
    window.widen(300, 1_000);
    expect(window.limit).toBe(3_100);
  });

  it("leaves each region a hundredth in every case", () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { maxLength: 400 }),
        fc.integer({ min: 1, max: 50 }),
        (events, entries) => {
          const window = new WindowShare();
          for (const early of events) {
            if (early) window.widen(1, entries);
            else window.narrow(entries, 1);
            expect(window.share).toBeGreaterThanOrEqual(0.01);
            expect(window.share).toBeLessThanOrEqual(0.99);
          }
        },
      ),
    );
  });
});
