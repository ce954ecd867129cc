import fc from "fast-check";

/** The keys of one simulation. Two are enough for batches with foreign keys in them. */
export const keys = [0, 1] as const;

/** The way in which a waiting request or load ends. */
export type Ending =
  /** It succeeds. */
  | "ok"
  /** A request rejects before or after it was carried out. A load rejects. */
  | "fail"
  /** A load calls `skip()` and succeeds. */
  | "skip"
  /** A load succeeds with a value that no serializer carries. */
  | "refuse";

/** One step of a schedule. */
export type Step =
  | { readonly do: "get" | "fresh" | "refresh" | "invalidate" | "getAndLeave"; readonly key: number }
  | { readonly do: "maxAge"; readonly key: number; readonly ms: number }
  | { readonly do: "set"; readonly key: number; readonly carriable: boolean }
  | { readonly do: "getAll" }
  /** The class is evaluated again, with another source. */
  | { readonly do: "reload" }
  /**
   * Another storage takes the place of one. If it is remote, it is another client of the same
   * server.
   */
  | { readonly do: "replace"; readonly which: number }
  /** A reader with a signal aborts it. */
  | { readonly do: "leave"; readonly which: number }
  | { readonly do: "advance"; readonly ms: number }
  /** Every request fails that waits now, and every request that follows from the failures. */
  | { readonly do: "trouble" }
  /** Runs every job that only waits for promises and ticks. */
  | { readonly do: "turn" }
  /** Ends a request's way to its storage, its way back, or a load. Then every job runs. */
  | { readonly do: "release"; readonly which: number; readonly how: Ending };

/** The steps of a simulation, without its set-up. */
export interface Schedule {
  readonly steps: readonly Step[];
  /** Whether loads end at once when their signal aborts. */
  readonly listens: boolean;
}

/** Returns every step, as often as it is to be drawn. Examples shrink to the first ones. */
function drawn(): Step[] {
  const steps: Step[] = [];
  const add = (weight: number, step: Step) => {
    for (let count = 0; count < weight; count++) steps.push(step);
  };
  add(6, { do: "turn" });
  for (const key of keys) {
    // Most steps concern the first key, because the effects of two operations on each other need
    // one key.
    const weight = key === 0 ? 3 : 1;
    add(weight * 4, { do: "get", key });
    add(weight * 2, { do: "set", key, carriable: true });
    add(weight * 2, { do: "refresh", key });
    add(weight * 2, { do: "invalidate", key });
    add(weight, { do: "fresh", key });
    add(weight, { do: "set", key, carriable: false });
    add(weight * 2, { do: "getAndLeave", key });
    for (const ms of [1, 20]) add(weight * 2, { do: "maxAge", key, ms });
  }
  add(2, { do: "getAll" });
  add(1, { do: "reload" });
  add(4, { do: "trouble" });
  for (const which of [0, 1, 2]) add(1, { do: "replace", which });
  for (const which of [0, 1]) add(4, { do: "leave", which });
  for (const ms of [1, 5, 25, 80]) add(1, { do: "advance", ms });
  for (const which of [0, 1, 2, 3, 5]) {
    add(9, { do: "release", which, how: "ok" });
    add(1, { do: "release", which, how: "fail" });
    add(2, { do: "release", which, how: "skip" });
    add(2, { do: "release", which, how: "refuse" });
  }
  return steps;
}

/** Schedules of all lengths. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  steps: fc.array(fc.constantFrom(...drawn()), { minLength: 1, maxLength: 48, size: "max" }),
  listens: fc.boolean(),
});
