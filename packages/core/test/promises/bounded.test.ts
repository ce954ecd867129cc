import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/**
 * The program's output. It has the smallest number of nodes held after a round, for each kind of
 * work. It also has the heap in kilobytes after each pass.
 */
interface Left {
  readonly held: Readonly<Record<string, number>>;
  readonly heaps: readonly number[];
  readonly timers: number;
}

describe("promise 8: memory is bounded", () => {
  let program: Program;
  let left: Left;
  beforeAll(async () => {
    program = await bundleProgram(new URL("bounded.program.ts", import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program.path]);
    left = JSON.parse(stdout);
  }, 60_000);
  afterAll(() => program.remove());

  it("holds no node of thousands of reads, failures, aborts, timeouts, cycles, writes and invalidations", () => {
    expect(Object.keys(left.held).length).toBeGreaterThan(15);
    // The last operation may leave one or two on the stack. Flights that stay would hold each of
    // the 200 of a round.
    expect(Object.entries(left.held).filter(([, nodes]) => nodes > 5)).toEqual([]);
  });

  it("has a flat heap", () => {
    // The first passes compile code and fill bounded structures. Memory that an operation leaves
    // shows in each later pass of three thousand operations. A hundred bytes of each operation
    // would be 600 kilobytes. One pass may end while a compiler thread writes, hence the lower of
    // the last two.
    const [early, late] = [left.heaps[4]!, Math.min(...left.heaps.slice(-2))];
    expect(late - early, `kilobytes after each pass: ${left.heaps}`).toBeLessThan(300);
  });

  it("leaves no timer behind", () => {
    expect(left.timers).toBe(0);
  });
});
