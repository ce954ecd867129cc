import { expect, it } from "vitest";
import { bundledProgram } from "./bundled-program.js";
import type { ColdOutcome } from "./cold-program.js";
import { ProgramRun, type RunOptions } from "./disk/program-run.js";

/** The processes that read the key. */
const processes = 8;

/**
 * Tests that the readers of one cold key in many processes cause one load.
 *
 * @param place returns the storage's address, or its path
 * @param source the program, which calls `runColdReaders`
 */
export function describeColdReaders(place: () => string, source: URL, options?: RunOptions): void {
  const program = bundledProgram(source);

  it("loads a cold key once for the readers of eight processes", { timeout: 60_000 }, async () => {
    const bundled = program();
    const shared = place();
    const runs = Array.from(
      { length: processes },
      () => new ProgramRun(bundled, "readsColdKey", shared, options),
    );
    for (const run of runs) expect(await run.said()).toBe("ready");
    for (const run of runs) run.process.stdin?.write("go\n");
    // A process says nothing else.
    const outcomes = (await Promise.all(runs.map((run) => run.said()))) as ColdOutcome[];
    await Promise.all(runs.map((run) => run.ended()));
    expect(outcomes.reduce((sum, { loads }) => sum + loads, 0)).toBe(1);
    expect(new Set(outcomes.flatMap(({ values }) => values)).size).toBe(1);
  });
}
