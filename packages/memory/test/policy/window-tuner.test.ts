import { describe, expect, it } from "vitest";
import { WindowTuner } from "../../src/policy/window-tuner.js";
import { seeded } from "../support/random.js";

/** Lets a key leave in one of two requests. Each key comes back after `delay` others have left. */
function comeBack(tuner: WindowTuner, entries: number, delay: number, hits: number): void {
  const random = seeded(5);
  const gone: number[] = [];
  const requests = { hits: 0, misses: 0 };
  for (let now = 0; now < entries * 4; now += 2) {
    const hash = random() | 0;
    tuner.windowExits++;
    if ((hash & tuner.unwatched) === 0) tuner.addGhost(hash, now, entries);
    gone.push(hash);
    requests.hits += hits;
    const back = gone[gone.length - 1 - delay];
    if (back !== undefined && (back & tuner.unwatched) === 0) tuner.learnFrom(back, now, entries, requests);
  }
}

describe("WindowTuner", () => {
  it.each([1_000, 100_000])(
    "widens the window of a cache of %i for keys that come back at its edge",
    (entries) => {
      const tuner = new WindowTuner();
      comeBack(tuner, entries, entries * 0.1, 1);
      expect(tuner.window.share).toBeGreaterThan(0.9);
    },
  );

  it.each([1_000, 100_000])(
    "keeps the window of a cache of %i while hits in the main region outnumber late returns",
    (entries) => {
      const tuner = new WindowTuner();
      comeBack(tuner, entries, entries * 0.25, 4);
      expect(tuner.window.share).toBe(new WindowTuner().window.share);
    },
  );

  it.each([1_000, 100_000])(
    "widens the window of a cache of %i for late returns if nothing is hit",
    (entries) => {
      const tuner = new WindowTuner();
      comeBack(tuner, entries, entries * 0.25, 0);
      expect(tuner.window.share).toBeGreaterThan(0.4);
    },
  );

  it("costs a large cache less than two bytes an entry", () => {
    const tuner = new WindowTuner();
    comeBack(tuner, 100_000, 100, 0);
    const bytes = tuner.ghosts.table.byteLength + tuner.recency.ghosts.table.byteLength;
    expect(bytes).toBeLessThan(200_000);
  });

  it("forgets the ghosts, not the share, when it is cleared", () => {
    const tuner = new WindowTuner();
    comeBack(tuner, 1_000, 100, 1);
    const { share } = tuner.window;
    tuner.clear();
    expect(tuner.ghosts.table.length + tuner.recency.ghosts.table.length).toBe(0);
    expect(tuner.window.share).toBe(share);
  });
});
