import type { ApartReader } from "./apart-reader.js";
import type { Flight } from "./flight.js";

/** Of one key: one load that runs, and one that began after its readers asked. Never a third. */
const mostLoads = 2;

const none: readonly Flight[] = [];

/** The flights of one key. */
export class Flights {
  /** The plain flight that new readers join. */
  open: Flight | undefined;
  /** The refreshing flight that has not begun its load, which every new refresh joins. */
  next: Flight | undefined;
  #loading: Flight[] | undefined;

  /** The flights that load, or have a place in the line of their class. */
  get loading(): readonly Flight[] {
    return this.#loading ?? none;
  }

  /** Whether another load of the key may begin. */
  get mayLoad(): boolean {
    return this.loading.length < mostLoads;
  }

  /** A flight whose load answers a plain reader as well as a load of its own would: one that begins later, or runs. */
  leaderOf(flight: Flight): Flight | undefined {
    if (this.next !== undefined && this.next !== flight) return this.next;
    return this.loading.find((other) => other !== flight && !other.fenced && !other.cleared);
  }

  /**
   * A running flight, which nothing has overtaken, that may serve the reader: its load began after the reader asked, or gives a
   * value that is young when it ends.
   */
  runningFor({ asked, hasJoinedLoad }: ApartReader): Flight | undefined {
    return this.loading.find(
      (flight) =>
        flight.hasBegun && !flight.fenced && !flight.cleared && (flight.birth > asked || !hasJoinedLoad),
    );
  }

  beginsLoad(flight: Flight): void {
    this.#loading ??= [];
    this.#loading.push(flight);
  }

  endsLoad(flight: Flight): void {
    this.#loading = this.#loading?.filter((other) => other !== flight);
  }

  /** The flights that wait until another load of the key may begin. */
  waiting(): Flight[] {
    return [this.open, this.next].filter((flight) => flight?.state === "waiting") as Flight[];
  }

  /** Takes the flight from where new readers would find it. */
  closes(flight: Flight): void {
    if (this.open === flight) this.open = undefined;
    if (this.next === flight) this.next = undefined;
  }
}
