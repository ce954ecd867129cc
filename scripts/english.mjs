#!/usr/bin/env node
// npm run english: checks how the comments' sentences open, and prints the share of clauses per place.
// npm run english -- PLACE lists a place's sentences to rephrase; npm run english -- --write records the counts that fell.
import { checkEnglish, findingsOfPlace, recordEnglish } from "./checks/english.mjs";

try {
  const words = process.argv.slice(2);
  for (const place of words.filter((word) => !word.startsWith("--")))
    for (const { at, text, reason } of findingsOfPlace(place)) console.log(`${at}: ${reason}\n    ${text}`);
  if (words.includes("--write")) recordEnglish();
  if (words.length === 0 || words.includes("--write")) console.log(checkEnglish().replaceAll(/, |; /g, "\n"));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
