import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundledProgram } from "@cacheme/test-services/bundled-program";
import { describe, expect, it } from "vitest";

describe("promise 9: idle is idle", () => {
  const program = bundledProgram(new URL("idle.program.ts", import.meta.url));

  it.each([
    ["has read, set, refreshed and invalidated values with a ttl of hours", "reads"],
    ["listens to events, and has read with a signal", "listens"],
    ["waits for loads that never end, without a loadTimeout", "neverLoads"],
    ["has left a load with a loadTimeout of an hour", "everyReaderLeaves"],
    ["has joined and left a load in the background", "leavesRevalidation"],
    ["has seen a load fail", "failed"],
    ["waits to repeat removals from a storage that is down", "removalPends"],
    ["has closed", "closed"],
  ])("lets a program end by itself that %s", async (_, scenario) => {
    // A program that does not end is killed, and the promise rejects.
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [program().path, scenario], {
      timeout: 4_000,
      killSignal: "SIGKILL",
    });
    expect([stdout, stderr]).toEqual(["done\n", ""]);
  });

  it("keeps a program alive while a reader waits, until the load's deadline", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program().path, "timesOut"]);
    expect(stdout).toBe("CACHEME_LOAD_TIMEOUT\ndone\n");
  });

  it.each([
    ["a load that its readers have left, until its deadline", "joinsLeftLoad", "CACHEME_LOAD_TIMEOUT"],
    ["a load in the background, until its deadline", "joinsRevalidation", "CACHEME_LOAD_TIMEOUT"],
    ["a load in the background, through a pause before a further call", "joinsPause", "3"],
  ])("keeps a program alive whose reader joins %s", async (_, scenario, printed) => {
    const { stdout } = await promisify(execFile)(process.execPath, [program().path, scenario]);
    expect(stdout).toBe(`${printed}\ndone\n`);
  });
});
