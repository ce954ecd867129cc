import type { ApartReader } from "./apart-reader.js";
import type { Flight } from "./flight.js";

/**
 * The most loads of one key: a running one, and one that began after its readers asked. There is
 * never a third.
 */
const mostLoads = 2;

const none: readonly Flight[] = [];

/** The flights of one key. */
export class Flights {
  /** The plain flight that new readers join. */
  open: Flight | undefined;
  /** The refreshing flight that has not begun its load, which every new refresh joins. */
  next: Flight | undefined;
  /** The flight that replaces a stale entry in the background. No reader joins it before it loads. */
  revalidating: Flight | undefined;
  /** The flights that load, or have a place in the line of their class. */
  loading: readonly Flight[] = none;

  /** Whether another load of the key may begin. */
  get mayLoad(): boolean {
    return this.loading.length < mostLoads;
  }

  /**
   * Returns a flight whose load serves a plain reader as well as its own load would. Such a load
   * begins later, or runs.
   */
  leaderOf(flight: Flight): Flight | undefined {
    if (this.next !== undefined && this.next !== flight) return this.next;
    if (this.loading.length === 0) return undefined;
    return this.loading.find((other) => other !== flight && !other.fenced && !other.cleared);
  }

  /**
   * Returns a running flight that may serve the reader and that nothing has overtaken. Its load
   * began after the reader's call, or its value is young when it ends.
   */
  runningFor({ asked, hasJoinedLoad }: ApartReader): Flight | undefined {
    return this.loading.find(
      (flight) =>
        flight.hasBegun && !flight.fenced && !flight.cleared && (flight.birth > asked || !hasJoinedLoad),
    );
  }

  /** The key's flights, each once. */
  get all(): readonly Flight[] {
    const flights = [this.open, this.next, this.revalidating, ...this.loading];
    return [...new Set(flights.filter((flight) => flight !== undefined))];
  }

  beginsLoad(flight: Flight): void {
    // A literal has room for one item, but a push makes room for 17.
    this.loading = this.loading.length === 0 ? [flight] : [...this.loading, flight];
  }

  /** Lets new readers join the flight no more, because it goes on in the background. */
  setAside(flight: Flight): void {
    if (this.open === flight) this.open = undefined;
    this.revalidating ??= flight;
  }

  endsLoad(flight: Flight): void {
    const isAlone = this.loading.length === 1 && this.loading[0] === flight;
    this.loading = isAlone ? none : this.loading.filter((other) => other !== flight);
  }

  /** The flights that wait until another load of the key may begin. */
  waiting(): readonly Flight[] {
    const { open, next } = this;
    const isOpen = open?.state === "waiting";
    if (next?.state === "waiting") return isOpen ? [open, next] : [next];
    return isOpen ? [open] : none;
  }

  /** Removes the flight from the places where new readers find it. */
  closes(flight: Flight): void {
    if (this.open === flight) this.open = undefined;
    if (this.next === flight) this.next = undefined;
    if (this.revalidating === flight) this.revalidating = undefined;
  }
}

/**
 * Closes the flight of an aborted load. All its readers have left, even those of the flights that
 * take over its answer.
 */
export function closeForAll(flight: Flight): void {
  flight.close();
  for (const follower of flight.followers ?? []) follower.close();
}
