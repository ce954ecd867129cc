import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "../lib/command.mjs";
import { filesBelow } from "../lib/files-below.mjs";

/**
 * Each link between the pages leads to a file that exists, and to a heading of it. README.md links every page of docs/ and
 * every program of examples/, and examples/README.md the same programs. Addresses on the web are not followed.
 */
export async function checkLinks() {
  const pages = filesBelow(root, ".md").filter((page) => !page.startsWith(".changeset"));
  const faults = pages.flatMap((page) => linksOf(page).flatMap((target) => faultOf(page, target)));

  const all = [
    ...faults,
    ...unlinkedOf("README.md", pages, /^docs\/[^/]+\.md$|^examples\/[^/]+\/README\.md$/),
    ...unlinkedOf("examples/README.md", pages, /^examples\/[^/]+\/README\.md$/),
  ];
  if (all.length > 0) throw new Error(all.join("\n"));
  return `${pages.length} pages`;
}

/**
 * The pages that an index must link and does not.
 *
 * @param {string} index
 * @param {readonly string[]} pages
 * @param {RegExp} due
 */
function unlinkedOf(index, pages, due) {
  const linked = new Set(linksOf(index).map((target) => join(dirname(index), target.split("#")[0] ?? "")));
  const missing = pages.filter((page) => due.test(page) && !linked.has(page));
  return missing.map((page) => `${index} does not link ${page}`);
}

/** @param {string} page */
function textOf(page) {
  return readFileSync(join(root, page), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
}

/**
 * The targets of a page's links that are in the checkout.
 *
 * @param {string} page
 */
function linksOf(page) {
  const targets = [...textOf(page).matchAll(/\]\((?<target>[^()\s]+)\)/g)].map((match) => match[1] ?? "");
  return targets.filter((target) => !/^[a-z]+:/.test(target));
}

/**
 * @param {string} page
 * @param {string} target
 * @returns {string[]}
 */
function faultOf(page, target) {
  const [path = "", heading] = target.split("#");
  const file = path === "" ? page : join(dirname(page), path);
  if (!existsSync(join(root, file))) return [`${page}: ${target}: the file is missing`];
  if (heading === undefined || statSync(join(root, file)).isDirectory() || !file.endsWith(".md")) return [];
  return anchorsOf(file).has(heading) ? [] : [`${page}: ${target}: ${file} has no such heading`];
}

/**
 * The anchors that GitHub gives to a page's headings.
 *
 * @param {string} page
 */
function anchorsOf(page) {
  const headings = [...textOf(page).matchAll(/^#+ +(?<heading>.+)$/gm)].map((match) => match[1] ?? "");
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
