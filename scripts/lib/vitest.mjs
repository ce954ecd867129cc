import { existsSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { CommandError, root, run } from "./command.mjs";

/**
 * Runs the tests of some Vitest projects and counts them.
 *
 * @param {NodeJS.ProcessEnv} env
 * @param {string} folder for the file with the counts
 * @param {readonly string[]} projects names or patterns
 * @param {readonly string[]} files parts of the paths of the files to run; default: all files
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
  const { passed, failed, skipped, failures } = readCounts(counts);
  return {
    passed,
    failures,
    // An error outside of the tests fails the run without a failed test. It counts as one.
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
    // Passed tests are counted, but not printed, however slow they were.
    if (error instanceof CommandError) return error.output.replace(/^ *✓ .*\n/gm, "");
    throw error;
  }
}

/** @param {string} path */
function readCounts(path) {
  if (!existsSync(path)) return { passed: 0, failed: 0, skipped: 0, failures: [] };
  /** @type {{ numPassedTests: number, numPendingTests: number, numTodoTests: number, testResults: TestFile[] }} */
  const counts = JSON.parse(readFileSync(path, "utf8"));
  const failures = counts.testResults.flatMap(failuresOf);
  return {
    passed: counts.numPassedTests,
    failed: failures.length,
    skipped: counts.numPendingTests + counts.numTodoTests,
    failures,
  };
}

/**
 * The part of a file in Vitest's JSON report.
 *
 * @typedef {{ name: string, status: string, assertionResults:
 * { status: string, fullName: string }[] }} TestFile
 */

/**
 * @param {TestFile} file
 * @returns {string[]} the names of failed tests, by which one can find them
 */
function failuresOf({ name, status, assertionResults }) {
  const path = relative(root, name);
  // A file that does not load fails without a failed test.
  if (status === "failed" && assertionResults.length === 0) return [`${path} does not load`];
  return assertionResults
    .filter((result) => result.status === "failed")
    .map(({ fullName }) => `${path}: ${fullName}`);
}
