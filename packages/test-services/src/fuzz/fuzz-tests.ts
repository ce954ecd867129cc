import { expect, it } from "vitest";
import { bundledProgram } from "../bundled-program.js";
import type { Server } from "../run/service.js";
import { faults } from "./faults.js";
import { type FuzzReport, runFuzz } from "./fuzz.js";

/**
 * Tests random operations of several processes while they, their server and their network fail.
 *
 * @param server returns a server of the tests' own
 * @param source the program, which calls `runFuzzProcess`
 */
export function itKeepsItsPromises(
  server: () => Server,
  source: URL,
  { seed, withBus }: { readonly seed: number; readonly withBus: boolean },
): void {
  const program = bundledProgram(source);

  it("keeps its promises to four processes, whatever fails", { timeout: 120_000 }, async () => {
    const report: FuzzReport = await runFuzz({
      server: server(),
      program: program(),
      seed,
      withBus,
      faults: faults.length,
    });
    expect(report.violations.join("\n")).toBe("");
    expect(new Set(report.faults).size).toBe(faults.length);
    expect(report.counts.get).toBeGreaterThan(100);
  });
}
