import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./command.mjs";
import { filesBelow } from "./files-below.mjs";

/** A link on a page to something in the checkout. */
/** @typedef {{ text: string, file: string, heading: string | undefined, target: string }} Link */

/**
 * Returns the paths of the checkout's pages, with those of `.github`, but without changesets, which
 * become change logs.
 */
export function allPages() {
  return [
    ...filesBelow(root, ".md"),
    ...filesBelow(join(root, ".github"), ".md").map((page) => join(".github", page)),
  ];
}

/** @param {string} page */
export function pageText(page) {
  return readFileSync(join(root, page), "utf8");
}

/**
 * The page without its blocks of code.
 *
 * @param {string} page
 */
export function proseOf(page) {
  return pageText(page).replace(/^```[\s\S]*?^```$/gm, "");
}

/**
 * The links of a page to what is in the checkout, with the file that each one leads to.
 *
 * @param {string} page
 * @returns {Link[]}
 */
export function linksOf(page) {
  const links = [...proseOf(page).matchAll(/\[(?<text>[^\][]*)\]\((?<target>[^()\s]+)\)/g)];
  return links
    .map(([, text = "", target = ""]) => {
      const [path = "", heading] = target.split("#");
      return { text, target, heading, file: path === "" ? page : join(dirname(page), path) };
    })
    .filter(({ target }) => !/^[a-z]+:/.test(target));
}

/** @param {string} file relative to the checkout */
export function isThere(file) {
  return existsSync(join(root, file));
}
