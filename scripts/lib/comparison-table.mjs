import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./command.mjs";

/**
 * The record of `npm run compare`.
 *
 * @typedef {{ library: string, outcome: string, how: "run" | "read", page?: string }} Cell
 * @typedef {{ name: string, title: string, cells: Cell[] }} Row
 * @typedef {{ title: string, rows: Row[] }} Table
 * @typedef {{ name: string, packages: Record<string, string>, how: "run" | "read" }} Library
 * @typedef {{ date: string, node: string, redis: string, libraries: Library[], tables: Table[] }} Results
 */

/** The page with the tables. */
export const page = join(root, "docs/comparison.md");

const documentation = "https://github.com/ZiggyCreatures/FusionCache/blob/v2.7.1/docs";

/** @returns {Results} */
export function recordedResults() {
  return JSON.parse(readFileSync(join(root, "benchmarks/src/comparison/results.json"), "utf8"));
}

/**
 * A page with its tables replaced by those of the results. A table stands between `<!-- comparison: TITLE -->` and
 * `<!-- /comparison -->`; the title "Versions" is the list of what was tried.
 *
 * @param {string} text
 * @param {Results} results
 * @throws Error if a table has no place on the page, or a place no table
 */
export function withTables(text, results) {
  const blocks = new Map([["Versions", versionsOf(results)]]);
  for (const table of results.tables) blocks.set(table.title, tableOf(table, results.libraries));

  const written = text.replace(
    /(<!-- comparison: (.+?) -->\n)[\s\S]*?(<!-- \/comparison -->)/g,
    (_, begin, title, end) => {
      const block = blocks.get(title);
      if (block === undefined)
        throw new Error(`docs/comparison.md has a place for "${title}", the results do not`);
      blocks.delete(title);
      return `${begin}\n${block}\n\n${end}`;
    },
  );
  if (blocks.size > 0)
    throw new Error(`docs/comparison.md has no place for ${[...blocks.keys()].join(", ")}`);
  return written;
}

/** @param {Results} results */
function versionsOf({ date, node, redis, libraries }) {
  const lines = libraries.map(({ name, packages, how }) => {
    const versions = Object.entries(packages).map(([pkg, version]) =>
      version === "workspace:*" ? `${pkg}, this checkout` : `${pkg} ${version}`,
    );
    return `| ${name} | ${versions.join("; ")} | ${how === "run" ? "run" : "documentation read"} |`;
  });
  return [
    `${date}, Node ${node.replace(/^v/, "")}, Redis ${redis}:`,
    "",
    "| library | packages | |",
    "| --- | --- | --- |",
    ...lines,
  ].join("\n");
}

/**
 * @param {Table} table
 * @param {readonly Library[]} libraries
 */
function tableOf({ rows }, libraries) {
  return [
    `| | ${libraries.map(({ name, how }) => (how === "run" ? name : `${name} †`)).join(" | ")} |`,
    `| --- |${" --- |".repeat(libraries.length)}`,
    ...rows.map(({ title, cells }) => `| ${title} | ${cells.map(wordsOf).join(" | ")} |`),
  ].join("\n");
}

/** @param {Cell} cell */
function wordsOf({ outcome, how, page: documented }) {
  if (documented !== undefined) return `[${outcome}](${documentation}/${documented}.md)`;
  return how === "run" ? outcome : `${outcome} †`;
}
