import { statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/command.mjs";
import { filesBelow } from "../lib/files-below.mjs";
import { allPages, isThere, linksOf, pageText } from "../lib/pages.mjs";

const core = "packages/core";
const promises = "docs/internals/promises.md";

/** The file with the line that decides whether an entry is stale, and the line. */
const verdict = { file: `${core}/src/entry/lifetime.ts`, line: "return entry.freshUntil > now;" };

/** How many files somebody opens from README.md to that line, both included. */
const longestWalk = 4;

/**
 * The pages of docs/internals speak of the sources as they are: each file that they name is there, in pictures too; each function
 * whose name is a link is in the file; each promise links a suite, and each suite of promises is linked. The line that decides whether
 * an entry is stale is a few links from README.md.
 */
export async function checkInternals() {
  const pages = allPages().filter((page) => page.startsWith("docs/internals/"));
  const faults = [
    ...pages.flatMap(missingFiles),
    ...pages.flatMap(missingNames),
    ...promisesWithoutSuite(),
    ...suitesWithoutPromise(),
    ...walkTo(verdict),
  ];
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return `${pages.length} pages`;
}

/**
 * Names such as `read/pipeline.ts`, relative to the checkout or to the sources of core.
 *
 * @param {string} page
 */
function missingFiles(page) {
  const code = [...pageText(page).matchAll(/^```[\s\S]*?^```$|`[^`\n]+`/gm)].map(([text]) => text);
  const names = code.flatMap((text) => text.match(/[\w-][\w./-]*\.(?:ts|mjs)\b/g) ?? []);
  return [...new Set(names)]
    .filter((name) => !isThere(name) && !isThere(`${core}/src/${name}`) && !isNameOfLinked(page, name))
    .map((name) => `${page}: ${name}: there is no such file`);
}

/**
 * The text of a link may be the file's name alone.
 *
 * @param {string} page
 * @param {string} name
 */
function isNameOfLinked(page, name) {
  return linksOf(page).some(({ text, file }) => text === `\`${name}\`` && file.endsWith(`/${name}`));
}

/**
 * Links such as [`isFresh`](…/lifetime.ts) to files that do not have the word.
 *
 * @param {string} page
 */
function missingNames(page) {
  return linksOf(page).flatMap(({ text, file }) => {
    const [, name] = /^`(\w+)`$/.exec(text) ?? [];
    if (name === undefined || !isThere(file) || statSync(join(root, file)).isDirectory()) return [];
    return new RegExp(`\\b${name}\\b`).test(pageText(file)) ? [] : [`${page}: ${file} has no ${name}`];
  });
}

function promisesWithoutSuite() {
  const sections = pageText(promises).split(/^## /m).slice(1);
  return sections
    .filter((section) => !/\]\([^)]*\.test\.ts\)/.test(section))
    .map((section) => `${promises}: "${section.split("\n")[0]}" links no suite`);
}

function suitesWithoutPromise() {
  const folder = `${core}/test/promises`;
  const linked = new Set(linksOf(promises).map(({ file }) => file));
  return filesBelow(join(root, folder), ".test.ts")
    .map((suite) => `${folder}/${suite}`)
    .filter((suite) => !linked.has(suite))
    .map((suite) => `${promises} does not link ${suite}`);
}

/**
 * Follows the links of the pages, breadth first.
 *
 * @param {{ file: string, line: string }} end
 */
function walkTo({ file, line }) {
  if (!pageText(file).includes(line)) return [`${file} has no line "${line}"`];
  let reached = new Set(["README.md"]);
  for (let opened = 1; opened < longestWalk && !reached.has(file); opened++) {
    const pages = [...reached].filter((page) => page.endsWith(".md"));
    reached = new Set([...reached, ...pages.flatMap(linksOf).map((link) => link.file)]);
  }
  return reached.has(file)
    ? []
    : [`README.md leads to ${file} in more than ${longestWalk} files: link it from a page of docs/internals`];
}
