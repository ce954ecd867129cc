import { Failure } from "../entry/failure.js";
import { isWithin } from "../entry/lifetime.js";
import type { ApartReader } from "../runtime/apart-reader.js";
import type { Flight } from "../runtime/flight.js";
import type { LateReaders } from "../runtime/late-readers.js";
import { unborn } from "../runtime/operation.js";
import type { LocalRecord } from "../storage/local-storage.js";
import type { ReadParts } from "./read-parts.js";

/**
 * Ends a flight, and decides which readers its value answers. It always answers readers from before
 * the load. It answers readers that joined during the load only if nothing has overtaken the load.
 * They may have seen the invalidation, or the newer value. It answers readers with a limit of age
 * if the value is young enough now.
 */
export class Landing {
  readonly #parts: ReadParts;
  readonly #readAgain: (flight: Flight) => void;

  /** @param readAgain makes a flight that was not settled read from the start */
  constructor(parts: ReadParts, readAgain: (flight: Flight) => void) {
    this.#parts = parts;
    this.#readAgain = readAgain;
  }

  /**
   * Answers the readers.
   *
   * @returns the number of answered readers; the others read again
   */
  land(flight: Flight, value: unknown, writtenAt: number): number {
    const { fenced, apart } = flight;
    const late = flight.takeLate();
    let answered = flight.readers;
    // Makes copies before anybody can change the value.
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
      if (mustReadAgain(follower, flight)) {
        this.#readAgain(follower);
        continue;
      }
      follower.tagged = flight.tagged;
      follower.found = flight.found;
      const served = this.land(follower, copy, writtenAt);
      follower.runtime.stats.misses += served;
    }
    return answered;
  }

  /**
   * Answers the readers so far with a stale value, while the flight goes on. A reader with a limit of
   * age waits on.
   *
   * @returns the number of answered readers
   */
  serve(flight: Flight, value: unknown): number {
    const { apart, readers } = flight;
    const late = flight.takeLate();
    flight.stay(); // So the load is not abandoned.
    flight.apart = apart?.filter(({ maxAge }) => maxAge !== Number.POSITIVE_INFINITY);
    for (const reader of apart ?? [])
      if (reader.maxAge === Number.POSITIVE_INFINITY) reader.resolve(copyFor(flight, value));
    flight.readers = flight.apart?.length ?? 0;
    let answered = readers - flight.readers;
    flight.answer(value);
    if (late === undefined) return answered;
    if (flight.fenced) {
      answered -= late.count;
      flight.readers += late.count; // They move to the other flight.
      this.#readTogether(flight, late);
    } else late.resolve(value);
    return answered;
  }

  /**
   * Makes the readers that the value cannot serve read again, because a newer operation came while
   * the flight loads.
   */
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
      this.#parts.rejoining.refreshFor(reader, undefined);
    }
  }

  /**
   * Answers late readers of the loads that this flight has overtaken. They joined those loads too
   * late, and asked before this load began.
   */
  adopt(flight: Flight): void {
    for (const other of flight.activity.flights.loading) {
      if (other === flight || !other.fenced) continue;
      for (const follower of other.followers ?? []) {
        if (!follower.mustReadAgain || follower.lastAsked >= flight.birth) continue;
        this.#unfollow(follower);
        follower.mustReadAgain = false;
        follower.follows = flight;
        flight.followers ??= [];
        flight.followers.push(follower);
        if (!follower.isAbandoned) flight.stay();
      }
      if (other.lastAsked < flight.birth) other.takeLate()?.moveTo(flight);
    }
  }

  #unfollow(flight: Flight): void {
    const leader = flight.follows;
    flight.follows = undefined;
    if (leader === undefined) return;
    leader.followers = leader.followers?.filter((follower) => follower !== flight);
    // When its last reader left, it also left the leader.
    if (!flight.isAbandoned) leader.leave();
  }

  /**
   * Rejects every reader with the error of the load. Readers that have asked after a newer operation
   * read again.
   *
   * @param failed called with each flight that was to take over the answer
   */
  crash(flight: Flight, error: unknown, failed: (follower: Flight) => void): void {
    flight.reject(error);
    for (const reader of flight.apart ?? []) reader.reject(error);
    for (const follower of flight.followers ?? []) {
      follower.follows = undefined;
      if (mustReadAgain(follower, flight)) this.#readAgain(follower);
      else failed(follower);
    }
  }

  /**
   * Moves readers for which a found entry is too old to a load. They do not count as the entry's
   * readers. For a reader with a limit of age each stale entry is too old.
   */
  dismiss(flight: Flight, found: LocalRecord, origin: string, isStale: boolean): void {
    const { apart } = flight;
    if (apart === undefined) return;
    const now = this.#parts.clock.now();
    const { value, writtenAt } = found;
    // Another process may have removed the key since a local tier was filled.
    const isKnown = !Failure.is(value) && flight.runtime.remoteTiers.some(({ name }) => name === origin);
    flight.apart = apart.filter((reader) => {
      const takesIt = isStale
        ? reader.maxAge === Number.POSITIVE_INFINITY
        : isWithin(writtenAt, now, reader.maxAge);
      if (takesIt) return true;
      flight.readers -= 1;
      flight.staying -= 1;
      this.#parts.rejoining.refreshFor(
        reader,
        isKnown ? { record: found, origin, size: undefined } : undefined,
      );
      return false;
    });
  }

  /** @returns the number of readers that were not answered */
  #answerApart(flight: Flight, readers: readonly ApartReader[], value: unknown, writtenAt: number): number {
    let diverted = 0;
    const now = this.#parts.clock.now();
    for (const reader of readers) {
      // A value found in a tier has no birth. Each of its readers had asked before the request was
      // sent.
      const isLate = flight.birth !== unborn && flight.birth <= reader.asked;
      const isOvertaken = isLate && flight.fenced;
      if (!isOvertaken && isWithin(writtenAt, now, reader.maxAge)) reader.resolve(copyFor(flight, value));
      else {
        diverted += 1;
        this.#parts.rejoining.refreshFor(reader, undefined);
      }
    }
    return diverted;
  }

  /**
   * A load that begins after the flight was overtaken is new enough for readers that joined before
   * that.
   */
  #readTogether(flight: Flight, late: LateReaders): void {
    if (late.isAbandoned) {
      // Counts them by the outcome that they would have had.
      flight.runtime.stats.misses += late.count;
      flight.readers -= late.count;
      return;
    }
    const next = this.#parts.rejoining.openFlight(flight);
    flight.follows = next;
    late.moveTo(next);
    const done = () => {
      flight.follows = undefined;
    };
    next.promiseOfEarlier().then(done, done);
  }
}

/**
 * Returns whether the outcome of a load does not serve a flight that was to take it over. Another
 * process may have overtaken the load after a reader of the follower asked.
 */
function mustReadAgain(follower: Flight, { fenced, birth }: Flight): boolean {
  return follower.mustReadAgain || (fenced && follower.lastAsked >= birth);
}

/** Returns the value itself, or a copy if the nearest local tier gives each reader one. */
function copyFor({ runtime }: Flight, value: unknown): unknown {
  const { nearest } = runtime;
  if (nearest?.storage.copy === undefined) return value;
  try {
    return nearest.storage.copy(value);
  } catch {
    return value; // It cannot be copied, and was not stored for that reason.
  }
}
