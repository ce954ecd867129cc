/** @typedef {import("./comment-sentences.mjs").Sentence} Sentence */

/** Blocks of code and the head of a changeset, whose lines are kept empty, so that later lines keep their numbers. */
const notProse = /^```[\s\S]*?^```$|^---$[\s\S]*?^---$|<!--[\s\S]*?-->/gm;

/**
 * Returns the sentences of a page: of paragraphs, list items and the cells of tables. Headings and code are left out, and so are the
 * addresses of links. A phrase of fewer than three words is no sentence.
 *
 * @param {string} page its text, not its name
 * @returns {Sentence[]}
 */
export function pageSentences(page) {
  const prose = page.replace(notProse, (block) => "\n".repeat(block.split("\n").length - 1));
  /** @type {Sentence[]} */
  const sentences = [];
  let line = 1;
  // A table's row, a heading and a list item begin a part of their own.
  for (const part of prose.split(/(?<=\n)(?=[ \t]*(?:\n|[|#]|[-*>][ \t]|\d+\.[ \t]))/)) {
    const empty = part.length - part.replace(/^\s*\n/, "").length;
    const first = line + part.slice(0, empty).split("\n").length - 1;
    for (const text of cellsOf(part).flatMap(sentencesOf)) {
      if ((text.match(/[a-z]+/gi) ?? []).length >= 3) sentences.push({ text, line: first });
    }
    line += part.split("\n").length - 1;
  }
  return sentences;
}

/** @param {string} part */
function cellsOf(part) {
  const text = part.trim();
  if (text.startsWith("#")) return [];
  const plain = text
    .replace(/^(?:[-*>]|\d+\.)[ \t]+/, "")
    .replace(/`[^`]*`/g, "`code`")
    .replace(/\]\([^()]*\)/g, "]")
    .replace(/[*_]{1,2}(?=\S)|(?<=\S)[*_]{1,2}/g, "")
    .replace(/\s+/g, " ");
  return text.startsWith("|") ? plain.split("|").map((cell) => cell.trim()) : [plain];
}

/** @param {string} text */
function sentencesOf(text) {
  return text.split(/(?<=[.!?]["')\]]*) (?=["'([]*[A-Z0-9`{])/);
}
