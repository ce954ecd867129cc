import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { bundledProgram } from "./bundled-program.js";
import type { IdleScenario } from "./idle-program.js";
import type { Program } from "./program.js";
import type { Server } from "./run/service.js";

const troubles: readonly unknown[] = [
  "CACHEME_CONNECT_FAILED",
  "CACHEME_CONNECT_REFUSED",
  "CACHEME_STORAGE_FAILED",
];

/** Milliseconds for a program to end. A program that a storage keeps alive would never end. */
const patience = 10_000;

/**
 * Runs a scenario in a bundled program.
 *
 * @returns the program's result, after it has ended
 * @throws Error if it does not end
 */
export async function ranIdle(program: Program, scenario: IdleScenario, url: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(process.execPath, [program.path, scenario, url], {
    timeout: patience,
    killSignal: "SIGKILL",
  });
  return JSON.parse(stdout);
}

/**
 * Tests that a storage keeps no finished program alive: neither by its sockets nor by its timers,
 * in whatever state its server is.
 *
 * @param server returns a server of the tests' own, which they kill and pause
 * @param source the program, which calls `runIdleScenario`
 */
export function describeIdlePrograms(server: () => Server, source: URL): void {
  describe("a program that uses the storage and has nothing more to do", () => {
    const program = bundledProgram(source);
    afterEach(() => server().restart());

    it("stays alive until its call is answered, and not longer", {
      timeout: 2 * patience,
    }, async () => {
      const proxy = await server().proxy();
      proxy.latency(20);
      expect(await ranIdle(program(), "reads", proxy.url)).toEqual(["value"]);
    });

    it("ends after it has closed its storage", { timeout: 2 * patience }, async () => {
      expect(await ranIdle(program(), "readsAndCloses", server().url)).toBe("done");
    });

    it.each(["closesWithCopiedProcess", "closesWithFakedProcess"] as const)(
      "closes its storage under fake timers: %s",
      { timeout: 2 * patience },
      async (scenario) => {
        expect(await ranIdle(program(), scenario, server().url)).toBe("done");
      },
    );

    it("connects under fake timers or fails in time, and closes", {
      timeout: 2 * patience,
    }, async () => {
      const outcome = await ranIdle(program(), "connectsWithCopiedProcess", server().url);
      expect(["connected", ...troubles]).toContain(outcome);
    });

    it("ends while its storage connects", { timeout: 2 * patience }, async () => {
      await server().pause();
      expect(await ranIdle(program(), "connectsLazily", server().url)).toBe("done");
    });

    it("ends if the server is down", { timeout: 2 * patience }, async () => {
      await server().kill();
      expect(troubles).toContain(await ranIdle(program(), "isRefused", server().url));
    });

    it("ends if the server does not answer", { timeout: 2 * patience }, async () => {
      await server().pause();
      expect(troubles).toContain(await ranIdle(program(), "hangs", server().url));
    });
  });
}
