import fc from "fast-check";
import { vi } from "vitest";
import type { Violation } from "./answer-check.js";
import { type Schedule, schedules } from "./schedule.js";
import type { Setup } from "./setups.js";
import { type Probes, Simulation } from "./simulation.js";

/** How many schedules each set-up gets: over all five of them 20,000. */
export const runs = 4_000;

/** Milliseconds for the schedules of one set-up: they take 6 s of processor time, on a machine that may be busy. */
export const timeout = 120_000;

/** Runs schedules until one breaks a promise; the error has its shrunk form, and the seed that brings it back. */
export async function everySchedule(setup: Setup): Promise<{ answered: number }> {
  // Every class that takes another one's name is reported.
  const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const outcome = await outcomeOf(setup, schedule);
      answered += outcome.answered;
      if (outcome.violations.length > 0) throw new Error(await told(setup, schedule, outcome.probes));
    }),
    { numRuns: runs },
  );
  warned.mockRestore();
  return { answered };
}

interface Outcome {
  readonly violations: readonly Violation[];
  readonly answered: number;
  /** The order of loads in which the violations are seen. */
  readonly probes: Probes;
}

/**
 * What a schedule breaks. A read that has waited too long when loads ended in one order has waited for a load that it did not
 * need, unless it waits as long in the other order.
 */
async function outcomeOf(setup: Setup, schedule: Schedule): Promise<Outcome> {
  const first = await runOf(setup, schedule, "youngest load first");
  if (!first.violations.some(({ probed }) => probed !== undefined)) return first;
  const second = await runOf(setup, schedule, "oldest load first");
  const waited = new Set<number | undefined>([undefined]);
  for (const { probed } of second.violations) waited.add(probed);
  return { ...first, violations: first.violations.filter(({ probed }) => waited.has(probed)) };
}

async function runOf(setup: Setup, schedule: Schedule, probes: Probes): Promise<Outcome> {
  const { violations, answered } = await new Simulation(setup, schedule.listens, probes).run(schedule);
  return { violations, answered, probes };
}

/** What happens in the schedule, line by line. */
async function told(setup: Setup, schedule: Schedule, probes: Probes): Promise<string> {
  const lines: string[] = [];
  await new Simulation(setup, schedule.listens, probes, (line) => lines.push(line)).run(schedule);
  return lines.join("\n");
}
