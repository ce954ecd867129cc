import { spawn } from "node:child_process";
import { once } from "node:events";
import { bundleProgram, type Program } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SnapshotFolder } from "./snapshot-space.js";

describe("programs that keep their memory in a file", () => {
  let program: Program;
  beforeAll(async () => {
    program = await bundleProgram(new URL("run.program.ts", import.meta.url));
  });
  afterAll(() => program.remove());

  /** Runs the program, and returns the number of its loads. */
  async function loadsOf(file: string, ending: "close" | "exit" | "kill"): Promise<number> {
    const child = spawn(process.execPath, [program.path, file, ending], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
    await once(child, "close");
    return (JSON.parse(output) as { loads: number }).loads;
  }

  // Five programs start one after the other.
  it("start with the values of the one before, also if killed in between", { timeout: 60_000 }, async () => {
    using folder = new SnapshotFolder();
    expect(await loadsOf(folder.file, "close")).toBe(10);
    expect(await loadsOf(folder.file, "kill")).toBe(0);
    expect(await loadsOf(folder.file, "exit")).toBe(1);
    expect(await loadsOf(folder.file, "close")).toBe(1);
    expect(await loadsOf(folder.file, "close")).toBe(0);
  });
});
