import { LoadCycleError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { RunningLoad } from "../runtime/running-load.js";

/**
 * Who waits for whom: a load waits for the flights that it reads, a flight for its load or for the flight that it follows.
 * A read that would close a circle is refused, since nobody on it would ever be answered.
 */

/** One read that a load makes: the load waits for the flight from when it looks at the answer until it leaves. */
export class Wait {
  readonly load: RunningLoad;
  #flight: Flight;
  #isAwaited = false;
  #hasEnded = false;

  constructor(load: RunningLoad, flight: Flight) {
    this.load = load;
    this.#flight = flight;
  }

  /** @throws LoadCycleError if the flight waits for the load already */
  begin(): void {
    if (this.#hasEnded) return;
    this.#isAwaited = true;
    this.#enter();
  }

  /**
   * Another flight answers the read.
   *
   * @throws LoadCycleError if that flight waits for the load already
   */
  moveTo(flight: Flight): void {
    this.#exit();
    this.#flight = flight;
    if (this.#isAwaited) this.#enter();
  }

  /** The read has left. */
  end(): void {
    this.#hasEnded = true;
    this.#exit();
  }

  #exit(): void {
    const { waitsFor } = this.load;
    const reads = waitsFor.get(this.#flight) ?? 0;
    if (!this.#isAwaited || reads === 0) return;
    if (reads === 1) waitsFor.delete(this.#flight);
    else waitsFor.set(this.#flight, reads - 1);
  }

  #enter(): void {
    const { load } = this;
    const way = wayTo(this.#flight, (reached) => reached.load === load);
    if (way !== undefined) throw cycle(way);
    load.waitsFor.set(this.#flight, (load.waitsFor.get(this.#flight) ?? 0) + 1);
  }
}

/**
 * Refuses a new flight for a key whose load is what opens it: the flight that the load answers was fenced or passed by, so
 * the new one would load the same again, and again.
 *
 * @throws LoadCycleError
 */
export function refuseNestedSelf(opener: RunningLoad, activity: KeyActivity): void {
  const below = new Map<Flight, Flight | undefined>();
  const seen = new Set<RunningLoad>();
  const stack: { readonly load: RunningLoad; readonly from: Flight | undefined }[] = [
    { load: opener, from: undefined },
  ];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    if (seen.has(step.load)) continue;
    seen.add(step.load);
    for (const flight of step.load.flights) {
      below.set(flight, step.from);
      if (flight.activity === activity) throw cycle(wayDown(flight, below));
      if (flight.opener !== undefined && !flight.opener.ended)
        stack.push({ load: flight.opener, from: flight });
    }
  }
}

function wayDown(top: Flight, below: ReadonlyMap<Flight, Flight | undefined>): Flight[] {
  const way: Flight[] = [];
  for (let flight: Flight | undefined = top; flight !== undefined; flight = below.get(flight))
    way.push(flight);
  return way;
}

/** Whether `flight` waits for `other`, directly or through others. */
export function waitsFor(flight: Flight, other: Flight): boolean {
  return wayTo(flight, (reached) => reached === other) !== undefined;
}

/** The flights from `start` to one that is `wanted`, each waiting for the next; `undefined` if there is no way. */
function wayTo(start: Flight, wanted: (flight: Flight) => boolean): Flight[] | undefined {
  const seen = new Set<Flight>();
  // A stack of our own: chains of loads can be longer than the call stack is deep.
  const stack: { readonly flight: Flight; readonly from: number }[] = [{ flight: start, from: -1 }];
  const visited: typeof stack = [];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const { flight } = step;
    // A settled flight may follow another one for those who joined it too late.
    if (seen.has(flight) || (flight.settled && flight.follows === undefined)) continue;
    seen.add(flight);
    const place = visited.push(step) - 1;
    if (wanted(flight)) {
      const way: Flight[] = [];
      for (let at = place; at >= 0; at = visited[at]?.from ?? -1) {
        const passed = visited[at];
        if (passed !== undefined) way.unshift(passed.flight);
      }
      return way;
    }
    // While a flight loads, only those whom it cannot answer follow another one.
    if (flight.follows !== undefined && !flight.hasBegun) stack.push({ flight: flight.follows, from: place });
    for (const next of flight.load?.waitsFor.keys() ?? []) stack.push({ flight: next, from: place });
    if (flight.state === "waiting") {
      const way = wayOfAll(flight.activity.flights.loading, wanted);
      if (way !== undefined) return way;
    }
  }
  return undefined;
}

/** A flight that waits for any of its key's loads is stuck only if all of them are. */
function wayOfAll(loading: readonly Flight[], wanted: (flight: Flight) => boolean): Flight[] | undefined {
  const ways = loading.map((flight) => wayTo(flight, wanted));
  return ways.every((way) => way !== undefined) ? ways[0] : undefined;
}

function cycle(way: readonly Flight[]): LoadCycleError {
  const labels = way.map(labelOf);
  const last = way.at(-1);
  const closed = labels.length === 1 ? [...labels, ...labels] : [labels.at(-1) ?? "", ...labels];
  return new LoadCycleError(closed, { node: last?.runtime.name, key: last?.key });
}

/** A node that shares its `loadAll` waits for whatever the call reads, for its own sake or for another's. */
function labelOf({ runtime, key, load }: Flight): string {
  const others = (load?.flights.length ?? 1) - 1;
  return others === 0
    ? nodeLabel(runtime.name, key)
    : `${nodeLabel(runtime.name, key)} (loaded with ${others} more)`;
}
