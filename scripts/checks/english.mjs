import { readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { root } from "../lib/command.mjs";
import { filesBelow } from "../lib/files-below.mjs";
import { allPages, pageText } from "../lib/pages.mjs";
import { measurePage, measureSource } from "../lib/plain-english.mjs";
import { packages } from "../lib/workspace.mjs";

/** Openings may be at most this share of a place's sentences, once the place has come below it. */
const limit = 0.02;

/** The numbers that may only fall. */
const recordFile = join(root, "scripts/checks/english.json");

/** @typedef {import("../lib/plain-english.mjs").Count} Count */
/** @typedef {import("../lib/plain-english.mjs").Finding} Finding */

/**
 * Counts the sentences of comments and pages that open with a clause, and the phrases with a plainer word. Neither count of a
 * place may exceed the recorded one. A count that fell is no failure.
 *
 * @returns {string} the share of such openings per place
 * @throws {Error} if a count grew, or if a place that was at or below 2 % is above it
 */
export function checkEnglish() {
  return judge(countPlaces(), readRecord());
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
      `${place}: expected at most ${recorded.openings} sentences that open with What, Who, Where, Whoever, ` +
        `That or Of, got ${count.openings}. Open with the subject, or with the verb.`,
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

/** Records the counts that fell. */
export function recordEnglish() {
  const lower = lowered(countPlaces(), readRecord());
  writeFileSync(recordFile, `${JSON.stringify(lower, undefined, 2)}\n`);
}

/**
 * Returns the counts to record: no findings more than recorded, and none for a new place.
 *
 * @param {Record<string, Count>} counts
 * @param {Record<string, Count>} recorded
 * @returns {Record<string, Count>}
 */
export function lowered(counts, recorded) {
  const entries = Object.entries(counts).map(([place, { sentences, openings, phrases }]) => {
    const before = recorded[place] ?? { openings: 0, phrases: 0 };
    return [
      place,
      {
        sentences,
        openings: Math.min(openings, before.openings),
        phrases: Math.min(phrases, before.phrases),
      },
    ];
  });
  return Object.fromEntries(entries);
}

/**
 * The findings of one place.
 *
 * @param {string} place
 * @returns {Finding[]}
 * @throws {Error} if there is no such place
 */
export function findingsOfPlace(place) {
  const measure = places().get(place);
  if (measure === undefined)
    throw new Error(`Expected a place, got "${place}": ${[...places().keys()].join(", ")}`);
  return measure().findings;
}

/**
 * The places that are counted, by name: each folder of sources, and all pages together.
 *
 * @returns {Map<string, () => ReturnType<typeof measureSource>>}
 */
function places() {
  const others = ["scripts", "benchmarks", "environments", "examples", "docs"];
  const folders = [...packages(), ...others.map((name) => ({ name, folder: join(root, name) }))];
  return new Map([
    ...folders.map(({ name, folder }) => /** @type {const} */ ([name, () => measureSources(folder)])),
    ["pages", measurePages],
  ]);
}

/** @returns {Record<string, Count>} */
function countPlaces() {
  return Object.fromEntries(
    [...places()].map(([place, measure]) => {
      const { sentences, openings, phrases } = measure();
      return [place, { sentences, openings, phrases }];
    }),
  );
}

/** @param {string} folder */
function measureSources(folder) {
  const files = [".ts", ".tsx", ".mts", ".cts", ".js", ".mjs", ".cjs"]
    .flatMap((ending) => filesBelow(folder, ending))
    .filter((file) => !file.split(sep).includes("fixtures"));
  return sumOf(
    files.map((file) => {
      const path = join(folder, file);
      return measureSource(path.slice(root.length + 1), readFileSync(path, "utf8"));
    }),
  );
}

/** Measures the pages, and the changesets, which become pages. */
function measurePages() {
  const changesets = filesBelow(join(root, ".changeset"), ".md").map((name) => `.changeset/${name}`);
  return sumOf([...allPages(), ...changesets].map((page) => measurePage(page, pageText(page))));
}

/** @param {readonly ReturnType<typeof measureSource>[]} measured */
function sumOf(measured) {
  return {
    sentences: measured.reduce((sum, { sentences }) => sum + sentences, 0),
    openings: measured.reduce((sum, { openings }) => sum + openings, 0),
    phrases: measured.reduce((sum, { phrases }) => sum + phrases, 0),
    findings: measured.flatMap(({ findings }) => findings),
  };
}

/** @returns {Record<string, Count>} */
function readRecord() {
  return JSON.parse(readFileSync(recordFile, "utf8"));
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
