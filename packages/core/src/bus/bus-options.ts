import type { Duration } from "../duration.js";
import type { WhenBusDown } from "../node/meta.js";

/** The options of `registerBus`. */
export interface RegisterBusOptions {
  /**
   * The use of local tiers while the bus is down, for the classes whose meta does not decide it.
   *
   * - `"bounded"`: a local entry is served for `ttlWhenDown` at most, from when it was stored or from
   *   when the loss was noticed.
   * - `"bypass"`: a class with a remote tier does not use its local tiers. Other classes are bounded.
   *
   * Default: `"bounded"`.
   */
  readonly whenBusDown?: WhenBusDown | undefined;
  /** The longest time that a local entry is served while the bus is down. Default: 10 seconds. */
  readonly ttlWhenDown?: Duration | undefined;
  /**
   * The pause between two heartbeats. A process from which three are missing, or whose own three do
   * not come back, counts as unheard. Default: 5 seconds.
   */
  readonly heartbeat?: Duration | undefined;
}
