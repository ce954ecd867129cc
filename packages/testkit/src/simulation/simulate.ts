import { elapsed } from "cacheme/driver";
import fc from "fast-check";
import type { Violation } from "./answer-check.js";
import { repeatable } from "./repeatable.js";
import { type Step, schedulesOf } from "./schedule.js";
import type { Setup } from "./setup.js";
import { type Outcome, Simulation, SimulationSetup } from "./simulation.js";

/** The options of {@link simulate}. */
export interface SimulateOptions {
  /** The clusters to try, by their names. Each schedule takes one of them. */
  readonly setups: Readonly<Record<string, Setup>>;
  /** The number of schedules. Default: 1,000. */
  readonly schedules?: number | undefined;
  /** The seed of the schedules. Each seed makes the same ones. Default: a new one. */
  readonly seed?: number | undefined;
  /** The place of one schedule and its shrunk forms, from the report of a broken promise. */
  readonly path?: string | undefined;
  /** The most steps of a schedule. Default: 60. */
  readonly longest?: number | undefined;
  /** Whether a schedule that breaks a promise is shrunk. Default: `true`. */
  readonly shrink?: boolean | undefined;
}

/** The report of {@link simulate}. */
export interface SimulationReport {
  readonly seed: number;
  /** The number of schedules that were run, until the first that broke a promise. */
  readonly schedules: number;
  /** The number of reads that were answered with a value. */
  readonly answered: number;
  readonly schedulesPerSecond: number;
  /** The shortest form of the first schedule that broke a promise. */
  readonly broken: BrokenSchedule | undefined;
}

/** A schedule that breaks a promise. */
export interface BrokenSchedule {
  readonly setup: string;
  readonly violations: readonly Violation[];
  /** The steps and events, line by line. */
  readonly lines: readonly string[];
  readonly path: string;
}

/**
 * Runs random schedules of reads, writes, invalidations and failures against simulated clusters. It
 * holds every answer against the promises. A schedule that breaks one is shrunk.
 *
 * @example
 * ```ts
 * const report = await simulate({
 *   setups: { shop: { processes: 3, caches: [{ storage: "local", ttl: "1s" }, { storage: "redis", ttl: "1m" }] } },
 *   schedules: 500,
 * });
 * if (report.broken !== undefined) throw new Error(report.broken.lines.join("\n"));
 * ```
 */
export async function simulate({
  setups,
  schedules = 1_000,
  seed,
  path,
  longest = 60,
  shrink = true,
}: SimulateOptions): Promise<SimulationReport> {
  const clusters = new Map(Object.entries(setups).map(([name, setup]) => [name, new SimulationSetup(setup)]));
  const count = new Count();
  const run = (name: string, steps: readonly Step[], trace?: (line: string) => void) =>
    repeatable(async () => {
      const cluster = clusters.get(name);
      if (cluster === undefined)
        throw new Error(`Expected a set-up of ${[...clusters.keys()].join(", ")}, got "${name}".`);
      return await Simulation.run(cluster, steps, trace);
    });
  const property = fc.asyncProperty(
    fc.record({ name: fc.constantFrom(...clusters.keys()), steps: schedulesOf(longest) }),
    async ({ name, steps }) => count.isKept(await run(name, steps)),
  );
  const parameters: fc.Parameters<[{ name: string; steps: Step[] }]> = {
    numRuns: schedules,
    endOnFailure: !shrink,
  };
  if (seed !== undefined) parameters.seed = seed;
  if (path !== undefined) parameters.path = path;
  const details = await fc.check(property, parameters);
  const report = { seed: details.seed, ...count.report() };
  const [found] = details.counterexample ?? [];
  if (found === undefined) return { ...report, broken: undefined };
  const lines: string[] = [];
  const { violations } = await run(found.name, found.steps, (line) => lines.push(line));
  const broken = { setup: found.name, violations, lines, path: details.counterexamplePath ?? "" };
  return { ...report, broken };
}

/** Counts schedules and answers, until shrinking begins. */
class Count {
  readonly #began = elapsed();
  #spent = 0;
  #schedules = 0;
  #answered = 0;
  #isShrinking = false;

  /** Returns whether the schedule kept every promise. */
  isKept({ violations, answered }: Outcome): boolean {
    if (!this.#isShrinking) {
      this.#schedules += 1;
      this.#answered += answered;
      this.#spent = elapsed() - this.#began;
    }
    this.#isShrinking ||= violations.length > 0;
    return violations.length === 0;
  }

  report(): Pick<SimulationReport, "schedules" | "answered" | "schedulesPerSecond"> {
    const schedulesPerSecond = Math.round(this.#schedules / (this.#spent / 1_000));
    return { schedules: this.#schedules, answered: this.#answered, schedulesPerSecond };
  }
}
