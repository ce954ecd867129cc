import fc from "fast-check";

/** The keys of a schedule. */
export const keys = [0, 1] as const;

/** One step of a schedule of saves and reads. */
export type SaveStep =
  | { readonly do: "save" | "get" | "refresh" | "invalidate"; readonly process: number; readonly key: number }
  | { readonly do: "getAll"; readonly process: number }
  /** One message of the journal or the source ends. */
  | { readonly do: "message"; readonly which: number; readonly how: "arrive" | "fail" }
  /** Every message of a process arrives, also those that follow. */
  | { readonly do: "serve"; readonly process: number }
  | { readonly do: "crash"; readonly process: number }
  | { readonly do: "advance"; readonly ms: number };

function drawn(): SaveStep[] {
  const steps: SaveStep[] = [];
  const add = (weight: number, step: SaveStep) => {
    for (let count = 0; count < weight; count++) steps.push(step);
  };
  for (const process of [0, 1]) {
    add(8, { do: "serve", process });
    add(1, { do: "crash", process });
    add(4, { do: "getAll", process });
    for (const key of keys) {
      const weight = key === 0 ? 3 : 1;
      add(4 * weight, { do: "save", process, key });
      add(3 * weight, { do: "get", process, key });
      add(weight, { do: "refresh", process, key });
      add(weight, { do: "invalidate", process, key });
    }
  }
  for (const which of [0, 1, 2, 3, 5, 8]) {
    add(10, { do: "message", which, how: "arrive" });
    add(2, { do: "message", which, how: "fail" });
  }
  for (const ms of [1, 60, 120, 1_000]) add(5, { do: "advance", ms });
  return steps;
}

/** Schedules of all lengths. */
export function saveSchedules(longest: number): fc.Arbitrary<SaveStep[]> {
  return fc.array(fc.constantFrom(...drawn()), { minLength: 1, maxLength: longest, size: "max" });
}
