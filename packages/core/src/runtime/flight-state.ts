/**
 * The state of a flight. It reads the tiers, acquires the leases of those without the value, is
 * gathered with the tick's loads, or waits until another load of its key may begin. It follows
 * another flight and takes over its answer, loads, stores the loaded value, or has settled.
 */
export type FlightState =
  | "reading"
  | "acquiring"
  | "gathered"
  | "waiting"
  | "following"
  | "loading"
  | "filling"
  | "settled";
