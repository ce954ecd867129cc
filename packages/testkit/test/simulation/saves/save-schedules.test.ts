import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { saveSchedules } from "./save-schedule.js";
import { SaveSimulation } from "./save-simulation.js";

/** The schedules of a run, and the most steps of each. */
const schedules = 300;
const longest = 60;

describe("random schedules of saves that are written behind", () => {
  it("keep the order of each key, lose nothing, and read each value at once", {
    timeout: 120_000,
  }, async () => {
    let answered = 0;
    const property = fc.asyncProperty(saveSchedules(longest), async (steps) => {
      const simulation = await SaveSimulation.run(steps);
      answered += simulation.answered;
      expect(simulation.violations).toEqual([]);
    });
    await fc.assert(property, { numRuns: schedules, seed: 7, endOnFailure: false });
    expect(answered).toBeGreaterThan(schedules);
  });

  it("find writes behind out of order within 5,000 schedules", { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(saveSchedules(longest), async (steps) => {
      const { violations } = await SaveSimulation.run(steps, "claims what others write");
      return !violations.some(({ promise }) => promise === "order");
    });
    const { failed, numRuns } = await fc.check(property, { numRuns: 5_000, seed: 7, endOnFailure: true });
    expect(failed).toBe(true);
    expect(numRuns).toBeLessThanOrEqual(5_000);
  });
});
