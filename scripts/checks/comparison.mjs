import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/command.mjs";
import { page, recordedResults, withTables } from "../lib/comparison-table.mjs";

const benchmarks = join(root, "benchmarks");

/**
 * docs/comparison.md shows the results as they were recorded, of all rows that have a program, and of the versions that are
 * installed: a new version of a library or a new row has to be run.
 */
export async function checkComparison() {
  const results = recordedResults();
  const text = readFileSync(page, "utf8");
  if (withTables(text, results) !== text)
    throw new Error(
      "docs/comparison.md differs from benchmarks/src/comparison/results.json: run node scripts/comparison.mjs",
    );

  const recorded = results.tables.flatMap(({ rows }) => rows.map(({ name }) => name)).sort();
  const programs = readdirSync(join(benchmarks, "src/comparison/rows"))
    .map((name) => name.replace(/\.ts$/, ""))
    .sort();
  if (recorded.join() !== programs.join())
    throw new Error(
      `expected results of ${programs.join(", ")}, got ${recorded.join(", ")}: run npm run compare`,
    );

  const { dependencies, devDependencies } = JSON.parse(
    readFileSync(join(benchmarks, "package.json"), "utf8"),
  );
  /** @type {Record<string, string>} */
  const installed = { ...dependencies, ...devDependencies };
  const outdated = results.libraries
    .filter(({ how }) => how === "run")
    .flatMap(({ packages }) => Object.entries(packages))
    .filter(([name, version]) => installed[name] !== version)
    .map(([name, version]) => `${name} is ${installed[name]}, and the results are of ${version}`);
  if (outdated.length > 0) throw new Error(`${[...new Set(outdated)].join("\n")}\nrun npm run compare`);
  return `${recorded.length} rows of ${results.date}`;
}
