/** A read, and the values that may answer it. */
export interface Read {
  readonly key: number;
  readonly way: "get" | "getAll" | "getAndLeave" | "maxAge" | "fresh" | "refresh";
  /** The read's place among all births. */
  readonly born: number;
  /** The time of the call, on the clock. */
  readonly at: number;
  readonly maxAge: number | undefined;
  /** The promises at the time of the call. */
  readonly floors: Readonly<Floors>;
  readonly signal: AbortSignal | undefined;
}

/** The oldest values, by birth, that may answer a read that begins now, by promise. */
export interface Floors {
  /** Promise 2: the latest invalidation that has resolved. */
  invalidated: number;
  /** Promise 4: the latest invalidation that has rejected, because a tier could not be reached. */
  distrusted: number;
  /** Promise 10: the newest value that a reader got, or that a set has stored. */
  newest: number;
  /** The event that raised {@link newest}, for the message. */
  newestBy: string;
}

/** A running load. */
export interface RunningLoad {
  readonly born: number;
  /** The time when it began, on the clock. */
  readonly at: number;
}

/** The events of one key. */
export class KeyHistory {
  readonly floors: Floors = { invalidated: 0, distrusted: 0, newest: 0, newestBy: "nothing" };
  readonly loads = new Set<RunningLoad>();
  /** The reads that were not answered yet. */
  readonly reads = new Set<Read>();
  /** The youngest set, invalidation, or ended load, which overtakes older loads. */
  overtaker = 0;
  /** The loads that have ended. */
  loadsEnded = 0;
  #busy = 0;
  #busySince = 0;
  #troubleAt = 0;

  /** Records the begin of an operation that may still read or change the key. */
  begin(born: number): void {
    if (this.#busy === 0) this.#busySince = born;
    this.#busy += 1;
  }

  end(): void {
    this.#busy -= 1;
  }

  /** Records a failed request. */
  trouble(born: number): void {
    this.#troubleAt = born;
  }

  /**
   * Whether a tier was in trouble since the key was last at rest. Answers may then be past that
   * tier.
   */
  get wasInTrouble(): boolean {
    return this.#troubleAt >= this.#busySince && this.#troubleAt > 0;
  }

  raise(floor: "invalidated" | "distrusted", to: number): void {
    this.floors[floor] = Math.max(this.floors[floor], to);
  }

  raiseNewest(to: number, by: string): void {
    if (to <= this.floors.newest) return;
    this.floors.newest = to;
    this.floors.newestBy = by;
  }

  overtake(born: number): void {
    this.overtaker = Math.max(this.overtaker, born);
  }
}
