import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/command.mjs";
import { page, recordedResults, withTables } from "../lib/comparison-table.mjs";

/** @typedef {import("../lib/comparison-table.mjs").Results} Results */

const benchmarks = join(root, "benchmarks");

/**
 * Checks docs/comparison.md against the recorded results: its tables, a result for each row's program, and the versions that
 * are installed. It runs no library.
 *
 * @throws {Error} with the command that repairs it
 */
export async function checkComparison() {
  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(benchmarks, "package.json"), "utf8"),
  );
  const programs = readdirSync(join(benchmarks, "src/comparison/rows")).map((name) =>
    name.replace(/\.ts$/, ""),
  );
  const results = recordedResults();
  judge(results, readFileSync(page, "utf8"), programs, { ...dependencies, ...devDependencies });
  return `${programs.length} rows of ${results.date}`;
}

/**
 * Compares results with a page, with the names of the rows' programs and with the installed versions.
 *
 * @param {Results} results
 * @param {string} text
 * @param {readonly string[]} programs
 * @param {Readonly<Record<string, string>>} installed
 * @throws {Error} as {@link checkComparison}
 */
export function judge(results, text, programs, installed) {
  if (withTables(text, results) !== text)
    throw new Error("docs/comparison.md differs from the results: run node scripts/comparison.mjs");

  const recorded = results.tables.flatMap(({ rows }) => rows.map(({ name }) => name)).sort();
  const expected = [...programs].sort();
  if (recorded.join() !== expected.join())
    throw new Error(
      `expected results of ${expected.join(", ")}, got ${recorded.join(", ")}: run npm run compare`,
    );

  const outdated = results.libraries
    .filter(({ how }) => how === "run")
    .flatMap(({ packages }) => Object.entries(packages))
    .filter(([name, version]) => installed[name] !== version)
    .map(
      ([name, version]) =>
        `expected results of ${name} ${installed[name]}, got ${version}: run npm run compare`,
    );
  if (outdated.length > 0) throw new Error([...new Set(outdated)].join("\n"));
}
