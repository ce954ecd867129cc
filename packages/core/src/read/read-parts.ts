import type { Clock } from "../clock.js";
import type { Events } from "../events.js";
import type { LoadSpace } from "../node/reads.js";
import type { Prefetches } from "../prefetch/prefetches.js";
import type { TagTable } from "../tags/tag-table.js";
import type { Tick } from "../tiers/tick.js";
import type { Store } from "../write/store.js";
import type { ReaderValues } from "./reader-values.js";
import type { Rejoining } from "./rejoining.js";
import type { RemoteTiers } from "./remote-tiers.js";
import type { Revalidations } from "./revalidations.js";

/** The parts of a space that the steps of its reads share. */
export interface ReadParts {
  readonly clock: Clock;
  readonly events: Events;
  readonly tick: Tick;
  readonly store: Store;
  readonly space: LoadSpace;
  readonly tags: TagTable;
  readonly remoteTiers: RemoteTiers;
  readonly values: ReaderValues;
  readonly revalidations: Revalidations;
  readonly prefetches: Prefetches;
  readonly rejoining: Rejoining;
}
