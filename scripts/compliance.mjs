#!/usr/bin/env node
// npm run compliance: runs the compliance suite for every storage, and prints the results as a table.
// npm run compliance -- postgres redis tests only these packages.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, run } from "./lib/command.mjs";
import { complianceTable } from "./lib/compliance-table.mjs";
import { build, checkNodeVersion, install, toolchain } from "./lib/toolchain.mjs";
import { runVitest } from "./lib/vitest.mjs";

const folder = mkdtempSync(join(tmpdir(), "cacheme-compliance-"));
const reportFile = join(folder, "report.jsonl");
const projects = process.argv.slice(2).map((name) => `@cacheme/${name}`);

try {
  checkNodeVersion();
  /** @type {NodeJS.ProcessEnv} */
  const env = {
    ...(await toolchain()),
    CACHEME_COMPLIANCE_FILE: reportFile,
    CACHEME_SERVICES_FILE: join(folder, "services.json"),
    CACHEME_SKIPS_FILE: join(folder, "skips.jsonl"),
  };
  await install(env);
  await build(env);
  console.log(await run(process.execPath, ["packages/test-services/dist/prepare.js"], { env }));
  const outcome = await runVitest(env, folder, projects, ["test/compliance"]);
  if (outcome.cause !== undefined) console.log(outcome.cause);
  console.log(await complianceTable(reportFile));
  console.log(`\n${outcome.passed} passed, ${outcome.failed} failed, ${outcome.skipped} skipped`);
  process.exitCode = outcome.failed > 0 ? 1 : 0;
} catch (error) {
  if (error instanceof CommandError) console.error(error.output);
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
