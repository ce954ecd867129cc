import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandError, run } from "./command.mjs";

/**
 * Runs the tests of some vitest projects and counts them.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder where the counts are left
 * @param {readonly string[]} projects names or patterns
 * @param {readonly string[]} files parts of the paths of the files to run; all where none is given
 * @returns {Promise<import("./report.mjs").Outcome>}
 */
export async function runVitest(env, folder, projects, files = []) {
  const counts = join(folder, `vitest-${projects.map(encodeURIComponent).join("-")}.json`);
  const parameters = [
    "run",
    ...files,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${counts}`,
  ];
  const cause = await causeOfFailure(env, [...parameters, ...projects.map((name) => `--project=${name}`)]);
  const { passed, failed, skipped } = readCounts(counts);
  return {
    passed,
    // An error outside every test fails the run and is no failed test: it counts as one.
    failed: cause === undefined ? failed : Math.max(failed, 1),
    skipped,
    detail: `${passed + failed + skipped} tests`,
    ...(cause === undefined ? {} : { cause }),
  };
}

/**
 * @param {NodeJS.ProcessEnv} env
 * @param {readonly string[]} parameters
 */
async function causeOfFailure(env, parameters) {
  try {
    await run("vitest", parameters, { env });
    return undefined;
  } catch (error) {
    // What passed is counted and need not be read.
    if (error instanceof CommandError) return error.output.replace(/^ ✓ .*\n/gm, "");
    throw error;
  }
}

/** @param {string} path */
function readCounts(path) {
  if (!existsSync(path)) return { passed: 0, failed: 0, skipped: 0 };
  /** @type {{ numPassedTests: number, numFailedTests: number, numPendingTests: number, numTodoTests: number, testResults: { status: string, assertionResults: unknown[] }[] }} */
  const counts = JSON.parse(readFileSync(path, "utf8"));
  const unloaded = counts.testResults.filter(
    ({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
  );
  return {
    passed: counts.numPassedTests,
    // A file that does not load fails without a test.
    failed: counts.numFailedTests + unloaded.length,
    skipped: counts.numPendingTests + counts.numTodoTests,
  };
}
