import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { bundleProgram } from "@cacheme/test-services";
import { afterAll, beforeAll, expect, it } from "vitest";
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

it("runs with node:test, and reports every test of every section", async () => {
  const file = join(folder, "report.jsonl");
  const { stdout } = await run(process.execPath, ["--test", "--test-reporter=tap", program.path], {
    env: { ...process.env, CACHEME_COMPLIANCE_FILE: file, NODE_TEST_CONTEXT: undefined },
  });
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const report = lines.map((line) => JSON.parse(line) as ReportLine);
  expect(stdout).toMatch(new RegExp(`^# pass ${report.length}$`, "m"));
  expect(stdout).toMatch(/^# fail 0$/m);
  expect(report.every(({ passed, storage }) => passed && storage === "with node:test")).toBe(true);
  expect(new Set(report.map(({ section }) => section))).toEqual(
    new Set(["lifecycle", "batches", "values", "keys", "ttl", "time", "removal", "clients"]),
  );
});
