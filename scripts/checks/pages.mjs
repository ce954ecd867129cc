import { allPages, pageText } from "../lib/pages.mjs";

/** A title, and two lines that say all of it. */
const opening = /^# .+\n\n[^\s#|>-].*\n[^\s#|>-].*\n\n/;

/**
 * README.md and the pages of docs/ open with a title and two lines of summary: prose, not a list, a table or a heading.
 */
export function checkPages() {
  const pages = allPages().filter((page) => page === "README.md" || page.startsWith("docs/"));
  const faults = pages
    .filter((page) => !opensWithSummary(pageText(page)))
    .map((page) => `${page} does not open with a title and two lines that say what is on it`);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  return `${pages.length} pages`;
}

/** @param {string} page its text */
export function opensWithSummary(page) {
  return opening.test(page);
}
