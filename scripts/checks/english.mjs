import { readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "../lib/command.mjs";
import { commentSentences } from "../lib/comment-sentences.mjs";
import { filesBelow } from "../lib/files-below.mjs";
import { packages } from "../lib/workspace.mjs";

/**
 * The words that open a clause in place of a sentence's subject or verb. A small "of" continues the name before it, as in
 * "`@param ending` of the file's name".
 */
const opening = /^["'([]*(?:[Ww]hat|[Ww]ho|[Ww]hoever|[Ww]here|[Tt]hat|Of)\b/;

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

/** Openings may be at most this share of a place's sentences, once the place has come below it. */
const limit = 0.02;

/** The numbers that may only fall. */
const recordFile = join(root, "scripts/checks/english.json");

/**
 * The counts of one place's comments.
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
 * Counts the sentences of comments that open with a clause, and the phrases with a plainer word. Neither count of a
 * place may exceed the recorded one. A count that fell is no failure.
 *
 * @returns {string} the share of such openings per place
 * @throws {Error} if a count grew, or if a place that was at or below 2 % is above it
 */
export function checkEnglish() {
  return judge(countPlaces(), JSON.parse(readFileSync(recordFile, "utf8")));
}

/**
 * Compares the counts with the recorded ones.
 *
 * @param {Record<string, Count>} counts
 * @param {Record<string, Count>} recorded
 * @returns {string} the share per place, and the places whose counts fell
 * @throws {Error} as {@link checkEnglish}
 */
export function judge(counts, recorded) {
  const entries = Object.entries(counts);
  const faults = entries.flatMap(([place, count]) => faultsOf(place, count, recorded[place]));
  if (faults.length > 0)
    throw new Error(`${faults.join("\n")}\n"npm run english -- PLACE" lists the sentences of a place.`);

  const shares = entries.map(([place, count]) => `${place} ${percent(shareOf(count))}`).join(", ");
  const fallen = entries
    .filter(([place, count]) => hasFallen(count, recorded[place]))
    .map(([place]) => place);
  if (fallen.length === 0) return shares;
  return `${shares}; fewer than recorded in ${fallen.join(", ")}: "npm run english -- --write" records them`;
}

/**
 * Says why a place's count is not allowed beside the recorded one.
 *
 * @param {string} place
 * @param {Count} count
 * @param {Count | undefined} [recorded] a place without a record may have no finding
 * @returns {string[]}
 */
function faultsOf(place, count, recorded = { sentences: 0, openings: 0, phrases: 0 }) {
  const faults = [];
  if (count.openings > recorded.openings) {
    faults.push(
      `${place}: expected at most ${recorded.openings} sentences of comments that open with What, Who, Where, ` +
        `Whoever, That or Of, got ${count.openings}. Open with the subject, or with the verb.`,
    );
  } else if (count.openings === recorded.openings && shareOf(recorded) <= limit && shareOf(count) > limit) {
    faults.push(
      `${place}: expected at most ${percent(limit)} of the sentences to open with What, Who, Where, Whoever, That ` +
        `or Of, as before, got ${percent(shareOf(count))}.`,
    );
  }
  if (count.phrases > recorded.phrases) {
    faults.push(
      `${place}: expected at most ${recorded.phrases} phrases with a plainer word, got ${count.phrases}.`,
    );
  }
  return faults;
}

/** Records the counts of today. */
export function recordEnglish() {
  writeFileSync(recordFile, `${JSON.stringify(countPlaces(), undefined, 2)}\n`);
}

/**
 * The findings of one place.
 *
 * @param {string} place
 * @returns {Finding[]}
 * @throws {Error} if there is no such place
 */
export function findingsOfPlace(place) {
  const folder = places().get(place);
  if (folder === undefined)
    throw new Error(`Expected a place, got "${place}": ${[...places().keys()].join(", ")}`);
  return measurePlace(folder).findings;
}

/**
 * Counts one source's sentences, and says what is to be rephrased.
 *
 * @param {string} file
 * @param {string} source
 * @returns {Count & { findings: Finding[] }}
 */
export function measureSource(file, source) {
  const sentences = commentSentences(file, source);
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

/**
 * Every folder of sources by the name under which it is counted.
 *
 * @returns {Map<string, string>}
 */
function places() {
  const folders = ["scripts", "benchmarks", "environments", "examples", "docs"];
  return new Map([
    ...packages().map(({ name, folder }) => /** @type {const} */ ([name, folder])),
    ...folders.map((name) => /** @type {const} */ ([name, join(root, name)])),
  ]);
}

/** @returns {Record<string, Count>} */
function countPlaces() {
  return Object.fromEntries(
    [...places()].map(([place, folder]) => {
      const { sentences, openings, phrases } = measurePlace(folder);
      return [place, { sentences, openings, phrases }];
    }),
  );
}

/** @param {string} folder */
function measurePlace(folder) {
  const files = [".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs"]
    .flatMap((ending) => filesBelow(folder, ending))
    .filter((file) => !file.split(sep).includes("fixtures"));
  const measured = files.map((file) => {
    const path = join(folder, file);
    return measureSource(path.slice(root.length + 1), readFileSync(path, "utf8"));
  });
  return {
    sentences: measured.reduce((sum, { sentences }) => sum + sentences, 0),
    openings: measured.reduce((sum, { openings }) => sum + openings, 0),
    phrases: measured.reduce((sum, { phrases }) => sum + phrases, 0),
    findings: measured.flatMap(({ findings }) => findings),
  };
}

/**
 * @param {Count} count
 * @param {Count | undefined} recorded
 */
function hasFallen(count, recorded) {
  if (recorded === undefined) return false;
  return count.openings < recorded.openings || count.phrases < recorded.phrases;
}

/** @param {Count} count */
function shareOf({ sentences, openings }) {
  return sentences === 0 ? 0 : openings / sentences;
}

/** @param {number} share */
function percent(share) {
  return `${(100 * share).toFixed(1)} %`;
}
