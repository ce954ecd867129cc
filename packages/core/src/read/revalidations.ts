import type { Background } from "../background.js";
import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { Asking, FlightOptions, LoadOverride } from "../runtime/asking.js";
import type { ClassRuntime } from "../runtime/class-runtime.js";
import type { Flight } from "../runtime/flight.js";
import type { FlightEnd } from "../runtime/flight-steps.js";
import { longestLife } from "../runtime/refresh-ahead.js";
import type { LocalRecord } from "../storage/local-storage.js";

/** The read whose stale answer is to be revalidated. */
export type StaleRead = Omit<Asking, "opener">;

/**
 * Replaces entries in the background that are stale or about to be, by one flight for each key. It is a flight as any other:
 * it reads the tiers, acquires the lease, loads, and stores. Nobody waits for it, so it gives up if
 * another process keeps the lease.
 */
export class Revalidations implements FlightEnd {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #background: Background;
  readonly #open: (asking: Asking, options: FlightOptions) => Flight;
  /** The flights of which the host was told, each with the function to call at its end. */
  readonly #handed = new Map<Flight, () => void>();

  /** @param open starts a flight; may throw, because it asks the node for its tags */
  constructor(
    clock: Clock,
    events: Events,
    background: Background,
    open: (asking: Asking, options: FlightOptions) => Flight,
  ) {
    this.#clock = clock;
    this.#events = events;
    this.#background = background;
    this.#open = open;
  }

  /**
   * Starts the flight, unless there is one, or the key backs off after a failure.
   *
   * @param dueUntil the end of the entry that it replaces although it is fresh
   */
  start(read: StaleRead, override: LoadOverride | undefined, dueUntil?: number): void {
    const { runtime, key } = read;
    if (!this.#isQuiet(runtime, key)) {
      try {
        const flight = this.#open({ ...read, opener: undefined }, { override, revalidates: this, dueUntil });
        if (!flight.settled) this.#hand(flight);
      } catch (error) {
        this.failed(runtime, key, error);
      }
    }
    this.hush(runtime, key);
  }

  /** Replaces the entry that a tier had for a flight, if it is stale, or due before its expiry. */
  found(flight: Flight, tier: number, entry: LocalRecord, isStale: boolean): void {
    const { dueUntil, override, runtime } = flight;
    if (isStale) this.start(flight, override);
    else if (runtime.ahead !== undefined && dueUntil === Number.NEGATIVE_INFINITY) {
      const longest = longestLife(runtime.tiers, runtime.tiers[tier]);
      if (runtime.ahead.isDue(entry, longest, this.#clock.now()))
        this.start(flight, override, entry.freshUntil);
    }
  }

  /** Takes a flight over whose readers get a stale value, because its load takes long. */
  takeOver(flight: Flight): void {
    const { activity, key, runtime } = flight;
    flight.revalidates = this;
    activity.flights.setAside(flight);
    runtime.staleness?.slow.add(key);
    this.#hand(flight);
    this.hush(runtime, key);
  }

  #hand(flight: Flight): void {
    if (this.#background.keepAwake !== undefined) this.#handed.set(flight, this.#background.begin());
  }

  /**
   * Records that a load of the class's key has failed. Several flights may report one load.
   *
   * @param old the entry that stays; by default that of a local tier
   */
  failed(
    runtime: ClassRuntime,
    key: string,
    error: unknown,
    old: LocalRecord | undefined = localEntry(runtime, key),
  ): void {
    const { name, staleness } = runtime;
    const now = this.#clock.now();
    if (staleness === undefined || staleness.backOffs.isBackingOff(key, now)) return;
    const backOff = staleness.backOffs.failed(key, now, old?.generations);
    if (this.#events.listeners.revalidateError !== null)
      this.#events.emit("revalidateError", { node: name, key, error, backOff });
  }

  /** The end of a flight. */
  ended(flight: Flight, failure: { readonly error: unknown } | undefined): void {
    const { runtime, key } = flight;
    this.#handed.get(flight)?.();
    this.#handed.delete(flight);
    runtime.staleness?.slow.delete(key);
    if (failure !== undefined) this.failed(runtime, key, failure.error, flight.replaced?.record);
    this.hush(runtime, key);
  }

  #isQuiet({ kind, staleness }: ClassRuntime, key: string): boolean {
    if (staleness?.backOffs.isBackingOff(key, this.#clock.now()) === true) return true;
    return kind.activities.find(key)?.flights.revalidating !== undefined;
  }

  /**
   * Marks the local tiers' entries of the key with the time until which hits need not ask here.
   * So such a hit costs as much as a fresh one.
   */
  hush({ kind, localTiers, space, staleness }: ClassRuntime, key: string): void {
    if (staleness === undefined) return;
    const { backOffs, slow, windows } = staleness;
    const isRevalidating = kind.activities.find(key)?.flights.revalidating !== undefined;
    const window = slow.has(key) ? windows.ifError : windows.whileRevalidate;
    for (const { storage } of localTiers) {
      const entry = storage.peek(space, key);
      if (entry === undefined) continue;
      const { freshUntil } = entry;
      entry.quietUntil = isRevalidating
        ? freshUntil + window
        : Math.min(freshUntil + windows.ifError, backOffs.until(key));
    }
  }
}

function localEntry({ localTiers, space }: ClassRuntime, key: string): LocalRecord | undefined {
  for (const { storage } of localTiers) {
    const entry = storage.peek(space, key);
    if (entry !== undefined) return entry;
  }
  return undefined;
}
