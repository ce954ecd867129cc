import fc from "fast-check";
import { schedules } from "./schedule.js";
import type { Setup } from "./setups.js";
import { Simulation } from "./simulation.js";

/** How many schedules each set-up gets: over all five of them 20,000. */
export const runs = 4_000;

/** Milliseconds for the schedules of one set-up: they take 8 s of processor time, on a machine that may be busy. */
export const timeout = 120_000;

/** Runs schedules until one breaks a promise; the error has its shrunk form, and the seed that brings it back. */
export async function everySchedule(setup: Setup): Promise<{ answered: number }> {
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const simulation = new Simulation(setup, schedule.listens);
      await simulation.run(schedule);
      answered += simulation.answered;
      const broken = simulation.violations.map(({ promise, what }) => `promise ${promise}: ${what}`);
      if (broken.length > 0) throw new Error(broken.join("\n"));
    }),
    { numRuns: runs },
  );
  return { answered };
}
