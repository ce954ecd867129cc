import { type Board, type BoardCopy, type Column, sharedTime } from "./board.js";
import { type Kind, kindOf, localLife, type Seen } from "./kinds.js";

/** A broken promise. */
export interface Violation {
  readonly what: string;
  readonly record: number | undefined;
  readonly at: number;
}

/** Something that happened to a record, for the report of a violation. */
export interface Happening {
  readonly at: number;
  readonly record: number;
  readonly text: string;
}

/** The oldest version that a read of a record may return. */
export interface Floor {
  readonly version: number;
  readonly from: string;
  readonly at: number;
}

/** The kinds whose values may be in the memory of a process. */
const localKinds: ReadonlySet<Kind> = new Set<Kind>(["tiered"]);

const mostHappenings = 6_000;

/** Milliseconds that a bus may take for an invalidation while nothing is in trouble. */
const busDelay = 1_500;

/** Milliseconds that a removal may take to be known in each process by the ttl alone. */
const spreading = localLife + 1_500;

/** The knowledge of one process: the versions that its reads must reach, and the last happenings. */
export class Ledger {
  readonly #board: Board;
  readonly #slot: number;
  readonly #hasBus: boolean;
  readonly #violated: (violation: Violation) => void;
  /**
   * By record: the version that this process has replaced itself, one that it has removed, and one
   * that it was given.
   */
  readonly #own = new Map<number, number>();
  readonly #removed = new Map<number, number>();
  readonly #given = new Map<number, number>();
  /** The requests under way, each with what was acknowledged when it was sent. */
  readonly #underway = new Set<{
    readonly records: readonly number[] | undefined;
    readonly acknowledged: BoardCopy;
  }>();
  readonly #happenings: Happening[] = [];
  #next = 0;
  #troubledAt = Number.NEGATIVE_INFINITY;

  constructor(board: Board, slot: number, hasBus: boolean, violated: (violation: Violation) => void) {
    this.#board = board;
    this.#slot = slot;
    this.#hasBus = hasBus;
    this.#violated = violated;
  }

  note(record: number, text: string): void {
    this.#happenings[this.#next % mostHappenings] = { at: sharedTime(), record, text };
    this.#next += 1;
  }

  happenings(records: readonly number[]): Happening[] {
    return this.#happenings.filter(({ record }) => record === -1 || records.includes(record));
  }

  violate(what: string, record?: number): void {
    this.#violated({ what, record, at: sharedTime() });
  }

  /** Notes that the storage or the bus has failed this process. */
  trouble(): void {
    this.#troubledAt = sharedTime();
    this.#board.setTrouble(this.#slot, this.#troubledAt);
  }

  wasTroubledSince(time: number): boolean {
    return this.#troubledAt >= time;
  }

  /** Takes the source's versions before an invalidation or a write. */
  versions(records: readonly number[]): ReadonlyMap<number, number> {
    return new Map(records.map((record) => [record, this.#board.version(record)]));
  }

  /** Notes that this process must not read older versions any more. */
  settled(versions: ReadonlyMap<number, number>, { isSet = false }: { readonly isSet?: boolean } = {}): void {
    for (const [record, version] of versions) {
      raise(this.#own, record, version);
      if (!isSet) raise(this.#removed, record, version);
    }
  }

  /** Notes that no process must read older versions any more, if it asks a remote tier. */
  acknowledged(versions: ReadonlyMap<number, number>, how: { readonly isSet?: boolean } = {}): void {
    this.settled(versions, how);
    for (const [record, version] of versions) {
      this.#board.raise(record, "acknowledged", this.#slot, version);
      if (how.isSet !== true) this.#board.raise(record, "removed", this.#slot, version);
      if (!localKinds.has(kindOf(record))) continue;
      const raise = (column: "spread" | "heard"): void => {
        this.#board.raise(record, column, this.#slot, version);
      };
      const since = sharedTime();
      setTimeout(() => raise("spread"), spreading).unref();
      setTimeout(() => {
        if (this.#board.calmSince < since) raise("heard");
      }, busDelay).unref();
    }
  }

  /** Returns what a read of the record that begins now must not be older than. */
  floor(record: number): Floor {
    const isLocal = localKinds.has(kindOf(record));
    const column = !isLocal ? "acknowledged" : this.#isCalm() && this.#hasBus ? "heard" : "spread";
    const all = Math.min(this.#board.highest(record, column), this.#joined(record, column, record));
    const own = this.#own.get(record) ?? 0;
    const given = this.#given.get(record) ?? 0;
    const version = Math.max(all, own, given);
    return { version, from: version === own ? "own" : version === all ? column : "given", at: sharedTime() };
  }

  /**
   * Does the same for a value that another one is made of. Only a removal reaches the other one.
   */
  floorOfPart(record: number, whole: number): Floor {
    const all = Math.min(this.#board.highest(record, "removed"), this.#joined(record, "removed", whole));
    const own = this.#removed.get(record) ?? 0;
    return { version: Math.max(all, own), from: own >= all ? "own" : "acknowledged", at: sharedTime() };
  }

  /** Holds an answer against what it must not be older than. */
  check(how: string, seen: Seen, by: string, floors: ReadonlyMap<number, Floor>, begun: number): void {
    for (const value of [seen, ...seen.parts]) {
      const floor = floors.get(value.record);
      if (floor === undefined) continue;
      this.note(
        value.record,
        `${how} ${floor.at.toFixed(1)}: ${value.version} by ${value.by}, floor ${floor.version} ${floor.from}`,
      );
      const isOwnLoad = value.by === by;
      // A load past a storage in trouble has no lease, so only the bus could report an invalidation.
      const isExcused = isOwnLoad && floor.from !== "own" && this.wasTroubledSince(begun - 3_000);
      if (value.version < floor.version && !isExcused) {
        const part = value === seen ? "" : ` (a part of ${kindOf(seen.record)} by ${seen.by})`;
        this.violate(
          `${how} of ${kindOf(value.record)}${part} that began at ${floor.at.toFixed(1)} gave version ${value.version} by ` +
            `${value.by}, and ${floor.version} was ${floor.from}`,
          seen.record,
        );
      }
    }
    // A tier has held what another process loaded, so this process is given nothing older any more.
    if (seen.by !== by)
      this.#given.set(seen.record, Math.max(seen.version, this.#given.get(seen.record) ?? 0));
  }

  /**
   * Notes that a request is under way. A read that joins it may be as old as its sending.
   *
   * @param records the records of its entries; `undefined` for tags, which may be those of any record
   * @returns notes that it was answered
   */
  sent(records: readonly number[] | undefined): () => void {
    const request = { records, acknowledged: this.#board.copy() };
    this.#underway.add(request);
    return () => void this.#underway.delete(request);
  }

  /**
   * Returns the version of a record that was acknowledged when the oldest request was sent that a
   * read of the whole value may join.
   */
  #joined(record: number, column: Column, whole: number): number {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { records, acknowledged } of this.#underway) {
      if (records !== undefined && !records.includes(whole)) continue;
      oldest = Math.min(oldest, acknowledged.highest(record, column));
    }
    return oldest;
  }

  #isCalm(): boolean {
    return this.#board.calmSince < sharedTime();
  }
}

function raise(versions: Map<number, number>, record: number, version: number): void {
  versions.set(record, Math.max(version, versions.get(record) ?? 0));
}
