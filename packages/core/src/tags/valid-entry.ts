import { isFresh } from "../entry/lifetime.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { areCurrent } from "./known-generation.js";

/** Returns whether a local entry may be returned at this time. */
export function isValid(entry: LocalEntry, now: number): boolean {
  return (
    !isIdle(entry, now) &&
    isFresh(entry, now) &&
    (entry.generations === undefined || areCurrent(entry.generations))
  );
}

/** Returns whether a local entry has not been read for the idle time of its class. */
export function isIdle({ idleUntil }: Pick<LocalEntry, "idleUntil">, now: number): boolean {
  return idleUntil !== undefined && idleUntil <= now;
}
