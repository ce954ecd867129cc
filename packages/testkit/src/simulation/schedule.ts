import fc from "fast-check";
import type { Ending } from "../cluster/network.js";

/** The keys of a simulation. Two are enough for batches with foreign keys in them. */
export const keys = [0, 1] as const;

/** A step that changes a value, or ends one. */
export type Change =
  | {
      readonly do: "set" | "save" | "invalidate" | "expire" | "invalidateMatching";
      readonly process: number;
      readonly key: number;
    }
  /** The tag of every value, or the whole class, is invalidated. */
  | { readonly do: "invalidateTag" | "invalidateAll"; readonly process: number };

/** One step of a schedule. Numbers of processes and messages count modulo those that exist. */
export type Step =
  | Change
  | { readonly do: "get" | "fresh" | "refresh"; readonly process: number; readonly key: number }
  | { readonly do: "maxAge"; readonly process: number; readonly key: number; readonly ms: number }
  | { readonly do: "getAll"; readonly process: number }
  /** One message under way ends. Then every job runs. */
  | { readonly do: "message"; readonly which: number; readonly how: Ending }
  /** Every message of a process arrives, also those that follow, until it only waits for loads. */
  | { readonly do: "serve"; readonly process: number }
  /** The same, and its loads succeed, too. */
  | { readonly do: "finish"; readonly process: number }
  /** The requests of a process fail that are under way, and those that follow at once. */
  | { readonly do: "trouble"; readonly process: number }
  /** The loads and saves of a process fail that are under way. */
  | { readonly do: "failSource"; readonly process: number }
  /** The bus brings a process all that is under way to it, or loses it. */
  | { readonly do: "news"; readonly process: number; readonly how: "arrive" | "fail" }
  /** Every job runs that only waits for promises and ticks. */
  | { readonly do: "turn" }
  | { readonly do: "advance"; readonly ms: number }
  /** The process is separated from a storage or the bus. All are connected again by `reconnect`. */
  | { readonly do: "cut"; readonly process: number; readonly place: number }
  | { readonly do: "reconnect" }
  /** The process loses its subscription to the bus, and notices it. */
  | { readonly do: "loseBus"; readonly process: number }
  /** The process crashes, and its program starts again. */
  | { readonly do: "crash"; readonly process: number }
  /** A server restarts without its data. */
  | { readonly do: "empty"; readonly place: number }
  /** A server's data are copied, and a server restarts with its copied data. */
  | { readonly do: "dump"; readonly place: number }
  | { readonly do: "restore"; readonly place: number };

/** Returns every step, as often as it is to be drawn. Examples shrink to the first ones. */
function drawn(): Step[] {
  const steps: Step[] = [];
  const add = (weight: number, step: Step) => {
    for (let count = 0; count < weight; count++) steps.push(step);
  };
  add(6, { do: "turn" });
  for (const process of [0, 1, 2]) {
    const share = process === 2 ? 1 : 2;
    add(share * 6, { do: "serve", process });
    add(share * 4, { do: "finish", process });
    add(share * 2, { do: "trouble", process });
    add(share * 2, { do: "failSource", process });
    add(share * 4, { do: "news", process, how: "arrive" });
    add(share * 2, { do: "news", process, how: "fail" });
    for (const key of keys) {
      // Most steps concern the first key, because the effects of two operations on each other need
      // one key.
      const weight = share * (key === 0 ? 3 : 1);
      add(weight * 4, { do: "get", process, key });
      add(weight * 3, { do: "invalidate", process, key });
      add(weight * 2, { do: "set", process, key });
      add(weight * 3, { do: "save", process, key });
      add(weight, { do: "expire", process, key });
      add(weight, { do: "invalidateMatching", process, key });
      add(weight, { do: "refresh", process, key });
      add(weight, { do: "fresh", process, key });
      for (const ms of [1, 50]) add(weight, { do: "maxAge", process, key, ms });
    }
    add(share, { do: "getAll", process });
    add(share * 6, { do: "invalidateTag", process });
    add(share, { do: "invalidateAll", process });
    add(1, { do: "crash", process });
    add(share, { do: "loseBus", process });
    for (const place of [0, 1, 2]) add(share, { do: "cut", process, place });
  }
  add(8, { do: "reconnect" });
  for (const place of [0, 1]) {
    add(2, { do: "empty", place });
    add(1, { do: "dump", place });
    add(1, { do: "restore", place });
  }
  for (const ms of [1, 20, 60, 300]) add(4, { do: "advance", ms });
  add(2, { do: "advance", ms: 5_000 });
  for (const which of [0, 1, 2, 3, 5, 8]) {
    add(16, { do: "message", which, how: "arrive" });
    add(3, { do: "message", which, how: "fail" });
    add(3, { do: "message", which, how: "giveUp" });
    add(2, { do: "message", which, how: "repeat" });
  }
  return steps;
}

/** Schedules of all lengths. */
export function schedulesOf(longest: number): fc.Arbitrary<Step[]> {
  return fc.array(fc.constantFrom(...drawn()), { minLength: 1, maxLength: longest, size: "max" });
}

/** Returns the step as a line for a person to read. */
export function shownStep(step: Step): string {
  const { do: what, ...rest } = step;
  const details = Object.entries(rest).map(([name, value]) => `${name} ${value}`);
  return details.length === 0 ? what : `${what}: ${details.join(", ")}`;
}
