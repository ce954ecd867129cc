import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import { lastBirth } from "../runtime/operation.js";
import { sharedState } from "../shared-state.js";
import { currentLoad } from "./load-frame.js";

/**
 * Notes a flight that a plain reader has joined, so that further readers of its key join by
 * {@link joinCrowd}. Classes whose local tiers may answer meanwhile take the usual way.
 */
export function noteCrowd(flight: Flight): void {
  const { runtime } = flight;
  const { staleness, unsaved, meta, nearest } = runtime;
  const isUsual = staleness !== undefined || unsaved !== undefined || meta.errors !== undefined;
  if (isUsual || nearest?.storage.copy !== undefined || !isOpen(flight)) return;
  runtime.crowd = flight;
}

/**
 * Joins the flight that several readers joined last, if it reads this key. So thousands of readers of
 * one key cost two comparisons each, instead of a look into the local tiers and two tables. Returns
 * `undefined` for a reader that must take the usual way.
 */
export function joinCrowd({ crowd }: ClassRuntime, key: string): Promise<unknown> | undefined {
  if (crowd === undefined || crowd.key !== key || !isOpen(crowd)) return undefined;
  if (currentLoad() !== undefined || sharedState.recordings > 0) return undefined;
  crowd.runtime.stats.coalesced += 1;
  crowd.readers += 1;
  crowd.stay();
  crowd.lastAsked = lastBirth();
  return crowd.promiseOfEarlier();
}

/**
 * Returns whether no tier had the value when the flight began, and none has got it since. In these
 * states anything that stores a value marks the flight.
 */
function isOpen(flight: Flight): boolean {
  const { state } = flight;
  return (
    (state === "reading" || state === "acquiring") &&
    !flight.mustReadAgain &&
    flight.activity.flights.open === flight
  );
}
