import { describe, expect, it } from "vitest";
import type { Setup } from "../../src/simulation/setup.js";
import { type SimulateOptions, simulate } from "../../src/simulation/simulate.js";

const shared: Setup = { processes: 2, caches: [{ storage: "shared", ttl: 6_000 }] };

/** A set-up in which schedules break a promise, because fills need no token. */
const faulty = {
  faulty: { ...shared, serverFaults: ["fill without token", "removal leaves the lease"] },
} as const;

/** The report without the time that it took. */
async function reportOf(options: SimulateOptions) {
  const { schedulesPerSecond, ...report } = await simulate(options);
  expect(schedulesPerSecond).toBeGreaterThan(0);
  return report;
}

/** Milliseconds. The schedules take a second of processor time, on a machine that may be busy. */
const timeout = 120_000;

describe("simulate", { timeout }, () => {
  it("runs the same schedules for the same seed", async () => {
    const options = { setups: { shared }, schedules: 60, seed: 7, shrink: false };
    const [one, other] = [await reportOf(options), await reportOf(options)];
    expect(other).toEqual(one);
    const another = await reportOf({ ...options, seed: 8 });
    expect(another).not.toEqual(one);
  });

  it("shrinks a schedule that breaks a promise, and repeats it by its path", async () => {
    const { broken, seed } = await reportOf({ setups: faulty, schedules: 5_000, seed: 3 });
    if (broken === undefined) throw new Error("The planted fault was not found.");
    expect(broken.violations.length).toBeGreaterThan(0);
    const again = await reportOf({ setups: faulty, seed, path: broken.path });
    expect(again.schedules).toBe(1);
    expect(again.broken?.lines).toEqual(broken.lines);
    expect(again.broken?.violations).toEqual(broken.violations);
    // Each step of a shrunk schedule is needed.
    expect(broken.lines.filter((line) => line.startsWith("- ")).length).toBeLessThan(20);
  });
});
