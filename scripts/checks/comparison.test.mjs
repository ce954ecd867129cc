import { describe, expect, it } from "vitest";
import { withTables } from "../lib/comparison-table.mjs";
import { judge } from "./comparison.mjs";

/** @type {import("../lib/comparison-table.mjs").Results} */
const results = {
  date: "2026-11-30",
  node: "v20.20.2",
  redis: "7.0.15",
  libraries: [
    { name: "one", packages: { "one-cache": "1.0.0" }, how: "run" },
    { name: "far", packages: { Far: "2.0.0" }, how: "read" },
  ],
  tables: [
    {
      title: "Loads",
      rows: [
        {
          name: "one-load",
          title: "loads",
          cells: [
            { library: "one", outcome: "1", how: "run" },
            { library: "far", outcome: "yes", how: "read", page: "Loads" },
          ],
        },
      ],
    },
  ],
};
const places = `text
<!-- comparison: Versions -->
<!-- /comparison -->
<!-- comparison: Loads -->
<!-- /comparison -->
more`;
const page = withTables(places, results);
const installed = { "one-cache": "1.0.0" };

/** @param {string} outcome */
function resultsWith(outcome) {
  const changed = structuredClone(results);
  for (const cell of changed.tables.flatMap(({ rows }) => rows.flatMap(({ cells }) => cells)))
    cell.outcome = outcome;
  return changed;
}

describe("the page of the comparison", () => {
  it("has the versions, the outcomes, and links for what was read", () => {
    expect(page).toContain("| one | one-cache 1.0.0 | run |");
    expect(page).toContain("| | one | far † |");
    expect(page).toMatch(/^\| loads \| 1 \| \[yes\]\(https:.*\/Loads\.md\) \|$/m);
    expect(page).toMatch(/^text\n[\s\S]*\nmore$/);
  });

  it("is accepted with its own results, and is the same when it is written again", () => {
    expect(withTables(page, results)).toBe(page);
    expect(() => judge(results, page, ["one-load"], installed)).not.toThrow();
  });

  it("is refused if a result differs", () => {
    expect(() => judge(resultsWith("2"), page, ["one-load"], installed)).toThrow(/differs from the results/);
  });

  it("is refused if a row has no result", () => {
    expect(() => judge(results, page, ["one-load", "tags"], installed)).toThrow(
      /expected results of one-load, tags, got one-load/,
    );
  });

  it("is refused if another version is installed", () => {
    expect(() => judge(results, page, ["one-load"], { "one-cache": "1.1.0" })).toThrow(
      /expected results of one-cache 1\.1\.0, got 1\.0\.0/,
    );
  });

  it("is refused if a table has no place, or a place no table", () => {
    expect(() => withTables("text", results)).toThrow(/no place for Versions, Loads/);
    const strange = `${places}\n<!-- comparison: Tags -->\n<!-- /comparison -->`;
    expect(() => withTables(strange, results)).toThrow(/a place for "Tags"/);
  });
});
