import fc from "fast-check";
import { vi } from "vitest";
import type { Violation } from "./answer-check.js";
import { type Schedule, schedules } from "./schedule.js";
import type { Setup } from "./setups.js";
import { type Probes, Simulation } from "./simulation.js";

/** The number of schedules of each set-up: 20,000 over all five. */
export const runs = 4_000;

/**
 * Milliseconds for the schedules of one set-up. They take 6 s of processor time, on a machine that
 * may be busy.
 */
export const timeout = 120_000;

/**
 * Runs schedules until one breaks a promise. The error has its shrunk form, and the seed that
 * reproduces it.
 */
export async function everySchedule(setup: Setup): Promise<{ answered: number }> {
  // Every class that takes another one's name causes a warning.
  const warned = vi.spyOn(process, "emitWarning").mockReturnValue();
  let answered = 0;
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const outcome = await outcomeOf(setup, schedule);
      answered += outcome.answered;
      if (outcome.violations.length > 0) throw new Error(await told(setup, schedule, outcome.probes));
    }),
    { numRuns: runs, examples: known.map((schedule) => [schedule]), ...chosen },
  );
  warned.mockRestore();
  return { answered };
}

interface Outcome {
  readonly violations: readonly Violation[];
  readonly answered: number;
  /** The order of loads in which the violations occur. */
  readonly probes: Probes;
}

/**
 * Returns the promises that a schedule breaks. A read may wait too long if loads end in one order.
 * It waits for a load that it does not need. It only counts if the read waits as long in the other
 * order.
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

/** Returns the events of the schedule, line by line. */
async function told(setup: Setup, schedule: Schedule, probes: Probes): Promise<string> {
  const lines: string[] = [];
  await new Simulation(setup, schedule.listens, probes, (line) => lines.push(line)).run(schedule);
  return lines.join("\n");
}

/** CI tries the same schedules for each change, so that it judges the change. Every other run tries new ones. */
const chosen = process.env["CI"] === undefined ? {} : { seed: 1 };

/** Schedules that broke a promise once, each tried before the random ones. */
const known: readonly Schedule[] = [
  // A set overtook a refresh whose value was being stored behind its reader. The nearer tier still had the value before both.
  {
    steps: [
      { do: "invalidate", key: 1 },
      { do: "fresh", key: 1 },
      { do: "turn" },
      { do: "release", which: 5, how: "ok" },
      { do: "release", which: 2, how: "ok" },
      { do: "release", which: 0, how: "ok" },
      { do: "release", which: 5, how: "ok" },
      { do: "release", which: 0, how: "refuse" },
      { do: "release", which: 2, how: "refuse" },
      { do: "release", which: 0, how: "ok" },
      { do: "refresh", key: 1 },
      { do: "release", which: 3, how: "ok" },
      { do: "release", which: 1, how: "ok" },
      { do: "set", key: 1, carriable: true },
      { do: "release", which: 2, how: "ok" },
      { do: "release", which: 0, how: "ok" },
      { do: "release", which: 2, how: "ok" },
      { do: "turn" },
    ],
    listens: false,
  },
  // A plain load overtook a read with `maxAge`, past a failed read of the tier. Its own write failed, and the tier kept the value from before both.
  {
    steps: [
      { do: "maxAge", key: 0, ms: 20 },
      { do: "turn" },
      { do: "release", which: 1, how: "ok" },
      { do: "release", which: 2, how: "ok" },
      { do: "release", which: 1, how: "ok" },
      { do: "release", which: 3, how: "skip" },
      { do: "maxAge", key: 1, ms: 1 },
      { do: "advance", ms: 80 },
      { do: "release", which: 2, how: "ok" },
      { do: "replace", which: 0 },
      { do: "get", key: 0 },
      { do: "trouble" },
      { do: "release", which: 1, how: "ok" },
      { do: "release", which: 3, how: "ok" },
      { do: "release", which: 3, how: "fail" },
    ],
    listens: false,
  },
  // A removal that had not reached the nearer tier was repeated while a load's value was on its way to the farther one.
  {
    steps: [
      { do: "invalidate", key: 1 },
      { do: "turn" },
      { do: "release", which: 2, how: "ok" },
      { do: "get", key: 1 },
      { do: "release", which: 3, how: "refuse" },
      { do: "trouble" },
      { do: "release", which: 0, how: "ok" },
    ],
    listens: false,
  },
];
