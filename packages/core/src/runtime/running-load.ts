import type { ClassRuntime } from "./class-runtime.js";
import type { Flight } from "./flight.js";

/** The load that answers flights, as the flights see it. */
export interface RunningLoad {
  readonly flights: readonly Flight[];
  /** The flights whose answers it uses, each with its number of reads. */
  readonly waitsFor: Map<Flight, number>;
  readonly ended: boolean;
  /** The nodes that it reads, if the value depends on them. */
  readonly recording: { tellTo(flight: Flight, runtime: ClassRuntime, key: string): void } | undefined;
  /** Called when the readers of a flight are answered although the load goes on. */
  relax(): void;
  /** Called when a reader may have joined. */
  joined(): void;
  /** Called when a reader of a flight has left. */
  left(): void;
}

/** A load's wait for a flight. */
export interface NestedWait {
  readonly load: RunningLoad;
  /** Lets another flight answer the read. Throws if that flight waits for the load already. */
  moveTo(flight: Flight): void;
}
