import { isFresh } from "../entry/lifetime.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { areCurrent } from "./known-generation.js";

/** Returns whether a local entry may be returned at this time. */
export function isValid(entry: LocalEntry, now: number): boolean {
  return isFresh(entry, now) && (entry.generations === undefined || areCurrent(entry.generations));
}
