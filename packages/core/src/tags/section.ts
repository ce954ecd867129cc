import type { KnownGeneration } from "./known-generation.js";

/** Between the parts of the section, because no tag and no id has a line feed. */
const separator = "\n";

/** Returns the section of an entry's envelope: each tag with the id of its generation. */
export function sectionOf(generations: readonly KnownGeneration[]): string {
  let section = "";
  for (const { tag, id } of generations) {
    section += section === "" ? tag : separator + tag;
    section += separator + id;
  }
  return section;
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
