import type { Flight } from "./flight.js";

/** The load that answers flights, as far as they know it. */
export interface RunningLoad {
  readonly flights: readonly Flight[];
  /** The flights whose answers it looks at, and by how many reads. */
  readonly waitsFor: Map<Flight, number>;
  readonly ended: boolean;
  /** A flight's readers have all left. */
  abandoned(): void;
}

/** A load's wait for a flight. */
export interface NestedWait {
  readonly load: RunningLoad;
  /** Another flight answers the read. Throws if that one waits for the load already. */
  moveTo(flight: Flight): void;
}
