import { describe, expect, it } from "vitest";
import { everySchedule, runs, timeout } from "./holds.js";

/**
 * Promises 1, 2, 4, 5, 10 and 11 within one process, by schedules. Reads of every kind, sets and
 * invalidations of two keys run concurrently. Each request, answer and load ends, or fails, when
 * the schedule says so, in any order.
 */
describe("promises 1, 2, 4, 5, 10 and 11, by randomised schedules, with a local tier", () => {
  for (const setup of ["local only", "local and remote", "local and two remotes"] as const) {
    it(`holds in every schedule: ${setup}`, { timeout }, async () => {
      expect((await everySchedule(setup)).answered).toBeGreaterThan(runs);
    });
  }
});
