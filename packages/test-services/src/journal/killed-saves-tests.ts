import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ProgramRun, type RunOptions } from "../disk/program-run.js";
import { bundleProgram, type Program } from "../program.js";
import type { KilledRun } from "./killed-saves.js";

/** The number of kills, and of the saves that are acknowledged before them, about. */
const kills = 100;
const saves = 10_000;
/** The journals that are tested at once, each with its own processes. */
const lanes = 4;
const keys = 40;

/**
 * Tests that no acknowledged save is lost when the process is killed, and that the source gets the
 * values of a key in their order.
 *
 * @param place returns the place of a new journal
 * @param source the program, which calls `runKilledSaves`
 */
export function describeKilledSaves(place: () => string, source: URL, options?: RunOptions): void {
  let program: Program | undefined;
  let folder = "";
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cacheme-killed-saves-"));
    program = await bundleProgram(source);
  });
  afterAll(() => {
    program?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  describe(`a process that is killed ${kills} times during ${saves} saves`, () => {
    it("loses no acknowledged value, and keeps the order of each key", { timeout: 120_000 }, async () => {
      if (program === undefined) throw new Error("The program is not there yet.");
      const bundled = program;
      const outcomes = await Promise.all(
        Array.from({ length: lanes }, async (_, lane) => {
          const killed = { place: place(), source: join(folder, `source-${lane}`), keys };
          const acknowledged = await saveAndKill(bundled, killed, options);
          return { acknowledged, written: linesOf(killed.source) };
        }),
      );
      let count = 0;
      for (const { acknowledged, written } of outcomes) {
        count += acknowledged.length;
        expect(outOfOrder(written)).toEqual([]);
        expect(lostOf(acknowledged, written)).toEqual([]);
      }
      expect(count).toBeGreaterThan(saves * 0.8);
    });
  });
}

/** Runs and kills the program again and again, lets it flush, and returns the acknowledged numbers. */
async function saveAndKill(
  program: Program,
  killed: Omit<KilledRun, "first">,
  options: RunOptions | undefined,
): Promise<readonly number[]> {
  const start = (scenario: string, first: number) =>
    new ProgramRun(program, scenario, JSON.stringify({ ...killed, first }), options);
  const acknowledged: number[] = [];
  let first = 1;
  for (let kill = 0; kill < kills / lanes; kill++) {
    const run = start("saves", first);
    // Now and then before the first save, while it writes what the last process has left.
    const until = Math.floor(Math.random() * 2 * (saves / kills));
    for (let said = 0; said < until; said++) acknowledged.push(Number(await run.said()));
    run.process.kill("SIGKILL");
    for (let rest = await run.said(); rest !== undefined; rest = await run.said())
      acknowledged.push(Number(rest));
    await run.ended();
    // Numbers above may have been saved, and not been acknowledged.
    first = Math.max(first, ...acknowledged) + 1_000;
  }
  const flushing = start("flushes", first);
  expect(await flushing.said()).toEqual({ unsaved: 0, deadLetters: 0 });
  await flushing.ended();
  return acknowledged;
}

interface Line {
  readonly key: number;
  readonly value: number;
}

function linesOf(path: string): readonly Line[] {
  const lines = readFileSync(path, "utf8").split("\n").slice(0, -1);
  return lines.map((line) => {
    const [key = Number.NaN, value = Number.NaN] = line.split(" ").map(Number);
    return { key, value };
  });
}

/** Returns the lines with an older value than a line before them. A value may be written twice. */
function outOfOrder(written: readonly Line[]): readonly Line[] {
  const newest = new Map<number, number>();
  return written.filter(({ key, value }) => {
    const before = newest.get(key) ?? 0;
    newest.set(key, Math.max(before, value));
    return value < before;
  });
}

/** Returns the numbers of which the source has neither the value nor a newer one of its key. */
function lostOf(acknowledged: readonly number[], written: readonly Line[]): readonly number[] {
  const newest = new Map<number, number>();
  for (const { key, value } of written) newest.set(key, Math.max(newest.get(key) ?? 0, value));
  return acknowledged.filter((value) => (newest.get(value % keys) ?? 0) < value);
}
