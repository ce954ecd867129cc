import type { Clock } from "../clock.js";
import type { Cached, Entry } from "../entry/entry.js";
import { isWithin } from "../entry/lifetime.js";
import type { ApartReader } from "../runtime/apart-reader.js";
import type { Flight } from "../runtime/flight.js";
import type { LateReaders } from "../runtime/late-readers.js";
import { unborn } from "../runtime/operation.js";

/** What becomes of readers that a flight's value does not serve. */
export interface Rejoining {
  /** The flight of the same key that is open now. */
  openFlight(flight: Flight): Flight;
  /** Takes a reader with a limit of age on to a load that begins later. */
  refreshFor(reader: ApartReader, previous: Entry | undefined): void;
  /** Moves a flight that has not begun its load to the kind that has replaced its own, if one has. */
  renew(flight: Flight): void;
}

/**
 * The end of a flight: who is answered with its value. Readers from before the load are in any case. Readers that joined
 * during the load are only if nothing has overtaken it: they may have seen the invalidation, or the newer value. Readers with
 * a limit of age are if the value is young enough at this moment.
 */
export class Landing {
  readonly #clock: Clock;
  readonly #rejoining: Rejoining;
  readonly #readAgain: (flight: Flight) => void;

  /** @param readAgain makes a flight that was not settled read from the start */
  constructor(clock: Clock, rejoining: Rejoining, readAgain: (flight: Flight) => void) {
    this.#clock = clock;
    this.#rejoining = rejoining;
    this.#readAgain = readAgain;
  }

  /** @returns how many readers have been answered; the others read again */
  land(flight: Flight, value: unknown, writtenAt: number): number {
    const { fenced, apart } = flight;
    const late = flight.takeLate();
    let answered = flight.readers;
    // Copies are made before anybody can change the value.
    if (apart !== undefined) answered -= this.#answerApart(flight, apart, value, writtenAt);
    const followers = flight.followers?.map((follower) => ({ follower, copy: copyFor(follower, value) }));
    flight.resolve(value);
    if (late !== undefined) {
      if (fenced) {
        answered -= late.count;
        this.#readTogether(flight, late);
      } else late.resolve(value);
    }
    for (const { follower, copy } of followers ?? []) {
      follower.follows = undefined;
      if (follower.mustReadAgain) {
        this.#readAgain(follower);
        continue;
      }
      const served = this.land(follower, copy, writtenAt);
      follower.runtime.stats.misses += served;
    }
    return answered;
  }

  /** Something newer has come while the flight loads: those who could not be given its value read again now. */
  divert(flight: Flight): void {
    if (flight.state === "following" && flight.mustReadAgain) {
      this.#unfollow(flight);
      if (flight.isAbandoned) flight.drop();
      else this.#readAgain(flight);
    }
    if (!flight.hasBegun || !flight.fenced) return;
    const late = flight.takeLate();
    if (late !== undefined) this.#readTogether(flight, late);
    const { apart } = flight;
    flight.apart = apart?.filter(({ asked }) => asked < flight.birth);
    for (const reader of apart ?? []) {
      if (reader.asked < flight.birth) continue;
      flight.readers -= 1;
      this.#rejoining.refreshFor(reader, undefined);
    }
  }

  /**
   * Readers of the loads that this flight has overtaken, who joined those too late and asked before this one's load began, get
   * its value.
   */
  adopt(flight: Flight): void {
    for (const other of flight.activity.flights.loading) {
      if (other === flight || !other.fenced) continue;
      for (const follower of other.followers ?? []) {
        if (!follower.mustReadAgain || follower.lastAsked >= flight.birth) continue;
        this.#unfollow(follower);
        follower.mustReadAgain = false;
        follower.follows = flight;
        if (!follower.isAbandoned) flight.stay();
        flight.followers ??= [];
        flight.followers.push(follower);
      }
      if (other.lastAsked < flight.birth) other.takeLate()?.moveTo(flight);
    }
  }

  #unfollow(flight: Flight): void {
    const leader = flight.follows;
    flight.follows = undefined;
    if (leader === undefined) return;
    leader.followers = leader.followers?.filter((follower) => follower !== flight);
    // When its last reader left, it left the leader, too.
    if (!flight.isAbandoned) leader.leave();
  }

  /** Everybody gets the error of the load. */
  crash(flight: Flight, error: unknown): void {
    flight.reject(error);
    for (const reader of flight.apart ?? []) reader.reject(error);
    for (const follower of flight.followers ?? []) {
      follower.follows = undefined;
      follower.runtime.stats.misses += follower.readers;
      this.crash(follower, error);
    }
  }

  /** Takes the readers for whom an entry that was found is too old on to a load. They do not count as its readers. */
  dismiss(flight: Flight, found: Cached, origin: string): void {
    const { apart } = flight;
    if (apart === undefined) return;
    const now = this.#clock.now();
    const { value, writtenAt, freshUntil } = found;
    flight.apart = apart.filter((reader) => {
      if (isWithin(writtenAt, now, reader.maxAge)) return true;
      flight.readers -= 1;
      flight.staying -= 1;
      const ttl = freshUntil - now;
      this.#rejoining.refreshFor(reader, {
        value,
        writtenAt,
        freshUntil,
        origin,
        ttl,
        size: undefined,
        hits: undefined,
      });
      return false;
    });
  }

  /** @returns how many were not answered */
  #answerApart(flight: Flight, readers: readonly ApartReader[], value: unknown, writtenAt: number): number {
    let diverted = 0;
    const now = this.#clock.now();
    for (const reader of readers) {
      // What was found in a tier has no birth: whoever waited for it had asked before it was sent.
      const isLate = flight.birth !== unborn && flight.birth <= reader.asked;
      const isOvertaken = isLate && flight.fenced;
      if (!isOvertaken && isWithin(writtenAt, now, reader.maxAge)) reader.resolve(copyFor(flight, value));
      else {
        diverted += 1;
        this.#rejoining.refreshFor(reader, undefined);
      }
    }
    return diverted;
  }

  /** A load that begins after the flight was overtaken is new enough for those who joined before that. */
  #readTogether(flight: Flight, late: LateReaders): void {
    if (late.isAbandoned) {
      // As what they would have been.
      flight.runtime.stats.misses += late.count;
      flight.readers -= late.count;
      return;
    }
    const next = this.#rejoining.openFlight(flight);
    flight.follows = next;
    late.moveTo(next);
    const done = () => {
      flight.follows = undefined;
    };
    next.promiseOfEarlier().then(done, done);
  }
}

/** The value itself, or a copy if the nearest local tier gives each reader one. */
function copyFor({ runtime }: Flight, value: unknown): unknown {
  const { nearest } = runtime;
  if (nearest?.storage.copy === undefined) return value;
  try {
    return nearest.storage.copy(value);
  } catch {
    return value; // It cannot be copied, and was not stored for that reason.
  }
}
