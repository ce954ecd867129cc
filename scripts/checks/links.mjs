import { statSync } from "node:fs";
import { join } from "node:path";
import { root } from "../lib/command.mjs";
import { allPages, isThere, linksOf, proseOf } from "../lib/pages.mjs";

/** @typedef {import("../lib/pages.mjs").Link} Link */

/**
 * Checks that each link between pages leads to an existing file and to an existing heading. Checks
 * that README.md links every page of docs/ and every example, that examples/README.md links every
 * example, and that docs/internals/README.md links every page beside it. Addresses on the web are
 * not checked.
 */
export async function checkLinks() {
  const pages = allPages();
  const faults = pages.flatMap((page) => linksOf(page).flatMap((link) => faultOf(page, link)));

  const all = [
    ...faults,
    ...unlinkedOf("README.md", pages, /^docs\/[^/]+\.md$|^examples\/[^/]+\/README\.md$/),
    ...unlinkedOf("examples/README.md", pages, /^examples\/[^/]+\/README\.md$/),
    ...unlinkedOf("docs/internals/README.md", pages, /^docs\/internals\/(?!README).+\.md$/),
  ];
  if (all.length > 0) throw new Error(all.join("\n"));
  return `${pages.length} pages`;
}

/**
 * Returns the pages that an index must link, but does not.
 *
 * @param {string} index
 * @param {readonly string[]} pages
 * @param {RegExp} due
 */
function unlinkedOf(index, pages, due) {
  const linked = new Set(linksOf(index).map(({ file }) => file));
  const missing = pages.filter((page) => due.test(page) && !linked.has(page));
  return missing.map((page) => `${index} does not link ${page}`);
}

/**
 * @param {string} page
 * @param {Link} link
 * @returns {string[]}
 */
function faultOf(page, { target, file, heading }) {
  if (!isThere(file)) return [`${page}: ${target}: the file is missing`];
  if (heading === undefined || statSync(join(root, file)).isDirectory() || !file.endsWith(".md")) return [];
  return anchorsOf(file).has(heading) ? [] : [`${page}: ${target}: ${file} has no such heading`];
}

/**
 * Returns the anchors that GitHub generates for a page's headings.
 *
 * @param {string} page
 */
function anchorsOf(page) {
  const headings = [...proseOf(page).matchAll(/^#+ +(?<heading>.+)$/gm)].map((match) => match[1] ?? "");
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}
