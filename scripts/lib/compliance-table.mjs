import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./command.mjs";

/** A line of the compliance suite's report. @typedef {{ storage: string, section: string, passed: boolean }} Line */

/**
 * Makes a table of each storage's results in each section of the compliance suite. Returns
 * `undefined` if no storage was tested.
 *
 * @param {string} file the suites' report
 * @returns {Promise<string | undefined>}
 */
export async function complianceTable(file) {
  const lines = readLines(file).filter(({ storage }) => /^@?cacheme/.test(storage));
  if (lines.length === 0) return undefined;
  /** @type {{ columns: readonly string[] }} */
  const { columns } = await import(pathToFileURL(join(root, "packages/testkit/dist/index.js")).href);
  const storages = [...new Set(lines.map(({ storage }) => storage))].sort();
  const rows = storages.map((storage) => [
    storage,
    ...columns.map((section) =>
      cell(lines.filter((line) => line.storage === storage && line.section === section)),
    ),
  ]);
  const legend = "The passed tests of each section; – if the storage does not support it, or has no server.";
  return `${aligned([["", ...columns], ...rows])}\n${legend}`;
}

/** @param {readonly Line[]} lines */
function cell(lines) {
  if (lines.length === 0) return "–";
  const passed = lines.filter((line) => line.passed).length;
  return passed === lines.length ? `${passed} pass` : `${lines.length - passed} of ${lines.length} FAIL`;
}

/** @param {readonly (readonly string[])[]} rows */
function aligned(rows) {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows
    .map((row) => row.map((text, column) => text.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => line.trimEnd())
    .join("\n");
}

/**
 * @param {string} file
 * @returns {Line[]}
 */
function readLines(file) {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line));
}
