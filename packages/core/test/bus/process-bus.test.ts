import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { bundledProgram } from "@cacheme/test-services/bundled-program";
import { describe, expect, it } from "vitest";
import { processBus } from "../../src/index.js";

const run = promisify(execFile);

// Each test starts several processes, which take their time on a busy machine.
describe("processBus()", { timeout: 20_000 }, () => {
  const program = bundledProgram(new URL("process-bus.program.ts", import.meta.url));

  const found = async (scenario: string): Promise<unknown> => {
    const { stdout } = await run(process.execPath, [program().path, scenario]);
    return JSON.parse(stdout);
  };
  const dropped = [
    { before: [1, 1, 1], after: [2, 2] },
    { before: [2, 2, 2], after: [3, 3] },
  ];

  it("connects threads", async () => {
    expect(await found("threads")).toEqual(dropped);
  });

  it("connects workers of node:cluster and their primary", async () => {
    expect(await found("workers")).toEqual(dropped);
  });

  it("says in a worker that the primary has no bus", async () => {
    expect(await found("withoutPrimary")).toContain("Call registerBus(processBus()) in the primary too");
  });

  it("waits for a primary that comes later, and comes back to one", async () => {
    expect(await found("primaryComesLater")).toEqual([
      "registered",
      "subscribed",
      { before: [1, 1], after: [2] },
    ]);
  });

  it("keeps no program alive", async () => {
    expect(await found("idle")).toBe("registered");
  });

  it.each<[string, unknown]>([
    ["an empty channel", { channel: "" }],
    ["an unknown option", { name: "x" }],
  ])("refuses %s", (_, options) => {
    expect(() => processBus(options as never)).toThrow(
      expect.objectContaining({
        code: "CACHEME_INVALID_OPTION",
        message: expect.stringContaining("processBus()"),
      }),
    );
  });
});
