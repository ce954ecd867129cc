import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundleProgram } from "@cacheme/test-services";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ReportLine } from "../src/index.js";

const run = promisify(execFile);

let folder: string;
let program: Awaited<ReturnType<typeof bundleProgram>>;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cacheme-testkit-"));
  program = await bundleProgram(new URL("program.ts", import.meta.url));
});
afterAll(() => {
  program.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe("a run with node:test", () => {
  let output: string;
  let report: ReportLine[];
  beforeAll(async () => {
    const file = join(folder, "report.jsonl");
    const { stdout } = await run(process.execPath, ["--test", "--test-reporter=tap", program.path], {
      env: { ...process.env, CACHEME_COMPLIANCE_FILE: file, NODE_TEST_CONTEXT: undefined },
    });
    output = stdout;
    const lines = readFileSync(file, "utf8").trim().split("\n");
    report = lines.map((line) => JSON.parse(line) as ReportLine);
  });

  it("passes, and reports each test", () => {
    expect(output).toMatch(new RegExp(`^# pass ${report.length}$`, "m"));
    expect(output).toMatch(/^# fail 0$/m);
    expect(report.every(({ passed, storage }) => passed && storage === "with node:test")).toBe(true);
  });

  it("has all sections", () => {
    expect(new Set(report.map(({ section }) => section))).toEqual(
      new Set(["lifecycle", "batches", "values", "keys", "ttl", "time", "removal", "touch", "clients"]),
    );
  });
});
