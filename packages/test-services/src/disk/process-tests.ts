import { chmodSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { bundleProgram, type Program } from "../program.js";
import { type DiskStorage, increments, racedKeys } from "./disk-storage.js";
import { ProgramRun, type RunOptions } from "./program-run.js";
import { text } from "./storage-helpers.js";

/** The storage and where its tests put it. */
export interface DiskTests {
  /** The program, which calls `runDiskScenario`. */
  readonly source: URL;
  /** Returns a path of the test's own. */
  place(): string;
  /** Returns the folder that the storage writes into. */
  folderOf(path: string): string;
  connected(path: string): Promise<DiskStorage>;
  /** The environment of the processes. Default: the test's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Milliseconds for eight processes that compete. */
  readonly patience: number;
}

/** Starts a scenario of the program at a path. */
export type StartRun = (scenario: string, path: string, options?: RunOptions) => ProgramRun;

const processes = 8;

/**
 * Tests what every storage on this machine's disk promises to several processes.
 *
 * @returns starts further scenarios, within a test
 */
export function describeDiskProcesses({
  source,
  place,
  folderOf,
  connected,
  env,
  patience,
}: DiskTests): StartRun {
  let program: Program | undefined;
  beforeAll(async () => {
    program = await bundleProgram(source);
    // A scenario drops its rights and is still to read the program.
    chmodSync(program.path, 0o644);
  });
  afterAll(() => program?.remove());

  const start: StartRun = (scenario, path, options = {}) => {
    if (program === undefined) throw new Error("The program is not there yet.");
    return new ProgramRun(program, scenario, path, { ...(env && { env }), ...options });
  };

  describe("a program that does not close its storage", () => {
    it("ends by itself, and what it wrote is there", async () => {
      const path = place();
      const run = start("writes", path);
      expect(await run.said()).toBe("written");
      await run.ended();
      expect(run.process.exitCode).toBe(0);
      expect(await text(await connected(path), "program")).toBe("value");
    });
  });

  describe("eight processes", () => {
    it("give each lease to one of them, and make each generation once", { timeout: patience }, async () => {
      const path = place();
      const runs = Array.from({ length: processes }, () => start("races", path));
      for (const run of runs) expect(await run.said()).toBe("ready");
      for (const run of runs) run.process.stdin?.end("go\n");
      const answers = (await Promise.all(runs.map((run) => run.said()))) as {
        won: string[];
        ids: string[];
      }[];
      expect(answers.flatMap(({ won }) => won).toSorted()).toEqual(racedKeys.toSorted());
      for (const { ids } of answers) expect(ids).toEqual(answers[0]?.ids);
      expect(new Set(answers[0]?.ids).size).toBe(racedKeys.length);
    });

    it("hold a lease one after the other", { timeout: patience }, async () => {
      const path = place();
      const runs = Array.from({ length: processes }, () => start("counts", path));
      for (const run of runs) expect(await run.said()).toBe("counted");
      expect(await text(await connected(path), "count")).toBe(`${processes * increments}`);
    });
  });

  describe("a process without rights", () => {
    it("gets an error that says so if it may not write the folder", async () => {
      const path = place();
      chmodSync(folderOf(path), 0o555);
      onTestFinished(() => chmodSync(folderOf(path), 0o755));
      expect(await start("writesWithoutRights", path).said()).toEqual([
        "CACHEME_CONNECT_FAILED",
        expect.stringContaining("may be written by this user"),
      ]);
    });
  });

  return start;
}
