import type { Flight } from "./flight.js";
import { withResolvers } from "./resolvers.js";

/**
 * The readers that joined a flight during its load. If something overtakes the load, they move
 * together to a flight that begins later.
 */
export class LateReaders {
  readonly #answer = withResolvers();
  /** The flight that they wait for. */
  #flight: Flight;
  /** The number of reads that it answers. */
  count = 0;
  /** The number of readers that may still want the answer. */
  #staying = 0;

  constructor(flight: Flight) {
    this.#flight = flight;
  }

  /** Whether no reader wants the answer any more. */
  get isAbandoned(): boolean {
    return this.#staying === 0;
  }

  /** Returns the answer for one more reader, which the flight has counted. */
  join(): Promise<unknown> {
    this.count += 1;
    this.#staying += 1;
    return this.#answer.promise;
  }

  /** Counts a reader with a signal that has left. */
  leave(): void {
    this.#staying -= 1;
    this.#flight.leave();
  }

  /** Answers the readers by another flight, as those that asked before its load. */
  moveTo(flight: Flight): void {
    const from = this.#flight;
    this.#flight = flight;
    flight.readers += this.count;
    from.readers -= this.count;
    // They stay in the new flight before they leave the old one, which may abort its load.
    for (let reader = 0; reader < this.#staying; reader++) flight.stay();
    for (let reader = 0; reader < this.#staying; reader++) from.leave();
    flight.promiseOfEarlier().then(this.resolve, this.reject);
  }

  readonly resolve = (value: unknown): void => this.#answer.resolve(value);

  readonly reject = (error: unknown): void => this.#answer.reject(error);
}
