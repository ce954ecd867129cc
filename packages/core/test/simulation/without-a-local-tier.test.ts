import { describe, expect, it } from "vitest";
import { everySchedule, runs, timeout } from "./holds.js";

/** As with a local tier, but in a file of its own, so that both files run concurrently. */
describe("promises 1, 2, 4, 5, 10 and 11, by randomised schedules, without a local tier", () => {
  for (const setup of ["remote only", "two remotes"] as const) {
    it(`holds in every schedule: ${setup}`, { timeout }, async () => {
      expect((await everySchedule(setup)).answered).toBeGreaterThan(runs);
    });
  }
});
