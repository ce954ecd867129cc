import { LoadCycleError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Flight } from "../runtime/flight.js";
import type { KeyActivity } from "../runtime/key-activity.js";
import type { RunningLoad } from "../runtime/running-load.js";

/**
 * The graph of waits. A load waits for the flights that it reads. A flight waits for its load, or
 * for the flight that it follows. A read that would close a cycle is refused, because no reader in
 * the cycle would ever be answered.
 */

/**
 * A read that a load makes. The load waits for the flight from the first use of the answer until it
 * leaves.
 */
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
   * Lets another flight answer the read.
   *
   * @throws LoadCycleError if that flight waits for the load already
   */
  moveTo(flight: Flight): void {
    this.#exit();
    this.#flight = flight;
    if (this.#isAwaited) this.#enter();
  }

  /** Ends the wait, because the read has left. */
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
 * Refuses a new flight for a key if the key's own load opens it. The load's flight was fenced or
 * skipped, so the new one would load the same again and again.
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

/** Returns whether `flight` waits for `other`, directly or through others. */
export function waitsFor(flight: Flight, other: Flight): boolean {
  return wayTo(flight, (reached) => reached === other) !== undefined;
}

/**
 * Returns the flights from `start` to one that is `wanted`, each waiting for the next. Returns
 * `undefined` if there is no way.
 */
function wayTo(start: Flight, wanted: (flight: Flight) => boolean): Flight[] | undefined {
  const seen = new Set<Flight>();
  // An explicit stack, because chains of loads can be longer than the call stack is deep.
  const stack: { readonly flight: Flight; readonly from: number }[] = [{ flight: start, from: -1 }];
  const visited: typeof stack = [];
  for (let step = stack.pop(); step !== undefined; step = stack.pop()) {
    const { flight } = step;
    // A settled flight may follow another one for readers that joined it too late.
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
    // While a flight loads, it only follows another one for readers that it cannot answer.
    if (flight.follows !== undefined && !flight.hasBegun) stack.push({ flight: flight.follows, from: place });
    for (const next of flight.load?.waitsFor.keys() ?? []) stack.push({ flight: next, from: place });
    if (flight.state === "waiting") {
      const way = wayOfAll(flight.activity.flights.loading, wanted);
      if (way !== undefined) return way;
    }
  }
  return undefined;
}

/**
 * Returns the way if all of the key's loads are stuck. A flight that waits for any of them is stuck
 * only then.
 */
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

/**
 * Names a node. If the node shares its `loadAll`, it waits for everything that the call reads, for
 * itself or for others.
 */
function labelOf({ runtime, key, load }: Flight): string {
  const others = (load?.flights.length ?? 1) - 1;
  return others === 0
    ? nodeLabel(runtime.name, key)
    : `${nodeLabel(runtime.name, key)} (loaded with ${others} more)`;
}
