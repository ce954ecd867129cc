import type { CachedError } from "../cached-error.js";
import { Failure } from "../entry/failure.js";
import { isWithin } from "../entry/lifetime.js";
import type { Events } from "../events.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import { sharedState } from "../shared-state.js";
import type { LocalEntry } from "../storage/local-storage.js";
import { isValid } from "../tags/valid-entry.js";
import type { ReadParts } from "./read-parts.js";
import { currentRecording } from "./recording.js";

/**
 * Returns the cached error of a local tier, of at most this age in milliseconds, counted as a hit.
 * Errors are in a space of their own, so that a hit of a value need not look whether its entry is an
 * error.
 */
export function localErrorHit(
  { clock, events }: ReadParts,
  runtime: ClassRuntime,
  key: string,
  maxAge?: number,
): CachedError | undefined {
  const found = findLocalError(runtime, key, clock.now(), maxAge);
  if (found === undefined) return undefined;
  const { failure, record, index, name } = found;
  if (sharedState.recordings > 0) currentRecording()?.add(runtime, key, record.generations);
  record.hits++;
  const error = failure.toError(record.writtenAt);
  countErrorHits(events, runtime, key, { index, name, readers: 1, error });
  return error;
}

/** Returns the same with its place, and does not count. */
export function findLocalError(
  { kind, localTiers }: ClassRuntime,
  key: string,
  now: number,
  maxAge: number = Number.POSITIVE_INFINITY,
): FoundError | undefined {
  const { errorSpace } = kind;
  if (errorSpace === undefined) return undefined;
  for (const { index, name, storage } of localTiers) {
    const record = storage.read(errorSpace, key);
    if (record === undefined || !isValid(record, now) || !isWithin(record.writtenAt, now, maxAge)) continue;
    return { index, name, record, failure: Failure.parse(String(record.value)) };
  }
  return undefined;
}

/** A local tier's entry of an error. */
export interface FoundError {
  readonly index: number;
  readonly name: string;
  readonly record: LocalEntry;
  readonly failure: Failure;
}

/** The answer of a tier with an error. */
interface ErrorHit {
  readonly index: number;
  readonly name: string;
  readonly readers: number;
  readonly error: CachedError;
}

/** Counts the readers that a tier has answered with an error. */
export function countErrorHits(
  events: Events,
  { name: node, stats }: ClassRuntime,
  key: string,
  { index, name: storage, readers, error }: ErrorHit,
): void {
  stats.hits[index] = (stats.hits[index] ?? 0) + readers;
  stats.errorHits += readers;
  if (events.listeners.errorHit !== null && readers > 0)
    events.emit("errorHit", { node, key, storage, readers, error });
}
