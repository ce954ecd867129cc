import { commentSentences } from "./comment-sentences.mjs";
import { pageSentences } from "./page-sentences.mjs";

/**
 * The words that open a clause in place of a sentence's subject or verb. A small "of" continues the name before it, as in
 * "`@param ending` of the file's name".
 */
const opening = /^["'([]*(?:[Ww]hat|[Ww]ho|[Ww]hoever|[Ww]here|[Tt]hat|Of)\b/;

/** The same on a page, where a small letter begins a cell of a table, such as "what to do". */
const pageOpening = /^["'([]*(?:What|Who|Whoever|Where|That|Of)\b/;

/**
 * Phrases with a plain word for each. Only those are here that mean nothing else.
 *
 * @type {readonly (readonly [phrase: RegExp, instead: string])[]}
 */
const phrases = [
  [/\b(?:tell|tells|told|telling) of\b/gi, "report, emit, notify"],
  [/\banew\b/gi, "again"],
  [/\bmend(?:s|ed|ing)?\b/gi, "fix, repair"],
  [/\bside by side\b/gi, "concurrent"],
  [/\bnone of them\b/gi, "name the noun"],
  [/\bevery one of them\b/gi, "each"],
  [/\bwhoever\b/gi, "name the noun"],
  [/\blest\b/gi, "otherwise, so that … not"],
  [/\bpass(?:es)? by\b(?! (?:itself|value|reference|name)\b)/gi, "skip"],
  [/\bg(?:ives?|iven|iving|ave) out\b/gi, "return"],
  [/\bcannot be meant\b/gi, "invalid"],
  [/\bnot offered\b/gi, "not supported"],
  [/\bwas expected, and\b/gi, "expected X, got Y"],
];

/**
 * The counts of a source's comments, of a page, or of a place.
 *
 * @typedef {object} Count
 * @property {number} sentences
 * @property {number} openings sentences that open with a word that `opening` names
 * @property {number} phrases occurrences of `phrases`
 */

/**
 * A sentence to rephrase.
 *
 * @typedef {{ at: string, text: string, reason: string }} Finding
 */

/**
 * Counts one source's sentences, and says what is to be rephrased.
 *
 * @param {string} file
 * @param {string} source
 * @returns {Count & { findings: Finding[] }}
 */
export function measureSource(file, source) {
  return measureSentences(file, commentSentences(file, source), opening);
}

/**
 * Counts one page's sentences, and says what is to be rephrased.
 *
 * @param {string} file
 * @param {string} page its text
 * @returns {Count & { findings: Finding[] }}
 */
export function measurePage(file, page) {
  return measureSentences(file, pageSentences(page), pageOpening);
}

/**
 * @param {string} file
 * @param {readonly import("./comment-sentences.mjs").Sentence[]} sentences
 * @param {RegExp} opening
 * @returns {Count & { findings: Finding[] }}
 */
function measureSentences(file, sentences, opening) {
  /** @type {Finding[]} */
  const findings = [];
  let openings = 0;
  let found = 0;
  for (const { text, line } of sentences) {
    const word = opening.exec(text)?.[0];
    if (word !== undefined) {
      openings += 1;
      findings.push({ at: `${file}:${line}`, text, reason: `opens with "${word}"` });
    }
    for (const [phrase, instead] of phrases) {
      for (const [words] of text.matchAll(phrase)) {
        found += 1;
        findings.push({ at: `${file}:${line}`, text, reason: `"${words}": ${instead}` });
      }
    }
  }
  return { sentences: sentences.length, openings, phrases: found, findings };
}
