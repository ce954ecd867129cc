import type { Subject } from "./subject.js";
import { workloads } from "./workloads.js";

/** Long enough for the compiler to finish its optimisations. */
const WARM_UP = 500_000;

/** The best of several slices counts, because other programs can only slow a slice down. */
const SLICES = 12;
const SLICE = 100_000;

/** Measures the nanoseconds per operation of each workload, with a new cache for each. */
export async function nanosecondsPerOperation(
  make: (size: number) => Promise<Subject>,
  size: number,
  wanted: (name: string) => boolean,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const { name, prepare } of workloads) {
    if (!wanted(name)) continue;
    const run = prepare(await make(size), size);
    run(WARM_UP);
    global.gc?.();
    figures[name] = Math.min(...Array.from({ length: SLICES }, () => slice(run)));
  }
  return figures;
}

/**
 * Elapsed time also counts other programs; processor time also counts V8's helper threads. The
 * smaller one counts.
 */
function slice(run: (operations: number) => number): number {
  const processor = process.cpuUsage();
  const begin = process.hrtime.bigint();
  const done = run(SLICE);
  const elapsed = Number(process.hrtime.bigint() - begin);
  const { user, system } = process.cpuUsage(processor);
  if (done < 0) throw new RangeError("A workload's result must be used, or it may be optimised away");
  return Math.min(elapsed, 1_000 * (user + system)) / SLICE;
}
