import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { LoadSpace } from "../node/reads.js";
import type { Flight } from "../runtime/flight.js";
import type { RunningLoad } from "../runtime/running-load.js";
import type { TagTable } from "../tags/tag-table.js";

/** The callbacks for a load's flights. */
interface LoadOutcome {
  loaded(flight: Flight, value: unknown): void;
  failed(flight: Flight, error: unknown): void;
  /** Called if every reader has left before the load began. */
  dropped(flight: Flight): void;
  /** Called when the load begins. */
  begins(flight: Flight): void;
  /** Called if the load takes longer than the soft limit of its class. */
  slow(load: RunningLoad): void;
}

/** The environment that the read path gives to a load. */
export interface LoadEnvironment extends LoadOutcome {
  readonly clock: Clock;
  readonly events: Events;
  readonly space: LoadSpace;
  /** The tags of the space. */
  readonly tags: TagTable;
}
