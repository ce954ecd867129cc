import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

/** What the program prints: of each kind of work, how many nodes were still held after a round, at least, and the heap in kilobytes after each pass. */
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
    // One or two may be held by what the last one left on the stack; flights that stay would hold each of the 200 of a round.
    expect(Object.entries(left.held).filter(([, nodes]) => nodes > 5)).toEqual([]);
  });

  it("has a flat heap", () => {
    // The first passes compile and fill what has a bound; what stays of an operation shows in each of the later ones, which
    // are three thousand operations each: a hundred bytes of each operation would be 600 kilobytes.
    // One pass may end with what a compiler thread was just writing, hence the lower of the last two.
    const [early, late] = [left.heaps[4]!, Math.min(...left.heaps.slice(-2))];
    expect(late - early, `kilobytes after each pass: ${left.heaps}`).toBeLessThan(300);
  });

  it("leaves no timer behind", () => {
    expect(left.timers).toBe(0);
  });
});
