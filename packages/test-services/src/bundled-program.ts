import { afterAll, beforeAll } from "vitest";
import { bundleProgram, type Program } from "./program.js";

/**
 * Bundles a program for the tests of a block, and removes it after them.
 *
 * @returns a function that gives the program, for hooks and tests only
 */
export function bundledProgram(source: URL): () => Program {
  let program: Program | undefined;
  beforeAll(async () => {
    program = await bundleProgram(source);
  });
  afterAll(() => program?.remove());
  return () => {
    if (program === undefined) throw new Error("The program is not there yet.");
    return program;
  };
}
