import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as api from "../src/index.js";

const read = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");

const source = read("../src/errors.ts");
const union = source.match(/export type CachemeErrorCode =(?<members>[^;]+);/)?.groups?.["members"] ?? "";
const codes = [...union.matchAll(/"(CACHEME_\w+)"/g)].map(([, code]) => code);

const page = read("../../../docs/errors.md");
/** The sections of the page with rows of codes, each with its heading's class name. */
const sections = page
  .split(/^## /m)
  .slice(1)
  .map((text) => ({
    errorClass: text.match(/^.*`(?<name>\w+)`$/m)?.groups?.["name"] ?? "",
    rows: [...text.matchAll(/^\| `(CACHEME_\w+)` +\|(.+)\|(.+)\|$/gm)].map(([, code, meaning, remedy]) => ({
      code,
      meaning: meaning?.trim(),
      remedy: remedy?.trim(),
    })),
  }));
const rows = sections.flatMap((section) => section.rows);

describe("the page on errors", () => {
  it("has one row for each code of the type, and no other", () => {
    expect(codes.length).toBeGreaterThan(20);
    expect(rows.map(({ code }) => code).toSorted()).toEqual(codes.toSorted());
  });

  it("has a meaning and a remedy for each code", () => {
    expect(rows.filter(({ meaning, remedy }) => !meaning || !remedy)).toEqual([]);
  });

  it("names an exported error class in the heading of each section", () => {
    const exported = Object.keys(api);
    for (const { errorClass, rows } of sections) {
      if (rows.length > 0) expect(exported).toContain(errorClass);
    }
  });

  it("names every exported error class", () => {
    const errorClasses = Object.keys(api).filter((name) => name.endsWith("Error"));
    expect(errorClasses.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });
});
