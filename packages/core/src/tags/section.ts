import { type KnownGeneration, separator } from "./known-generation.js";

/** Returns the section of an entry's envelope: each tag with the id of its generation. */
export function sectionOf(generations: readonly KnownGeneration[]): string {
  let section = "";
  for (const { pair } of generations) section = section === "" ? pair : section + separator + pair;
  return section;
}

/** Returns whether the section is that of the generations. Makes no string. */
export function isSectionOf(section: string, generations: readonly KnownGeneration[]): boolean {
  let at = 0;
  for (const { pair } of generations) {
    if (at > 0 && section[at++] !== separator) return false;
    if (!section.startsWith(pair, at)) return false;
    at += pair.length;
  }
  return at === section.length;
}

/** Returns the pairs in a section; `undefined` if it is damaged. */
export function pairsIn(section: string): ReadonlyMap<string, string> | undefined {
  const pairs = new Map<string, string>();
  if (section === "") return pairs;
  const parts = section.split(separator);
  if (parts.length % 2 !== 0) return undefined;
  for (let place = 0; place < parts.length; place += 2) pairs.set(parts[place] ?? "", parts[place + 1] ?? "");
  return pairs;
}
