import { LoadError } from "../errors.js";
import { nodeLabel } from "../node/key.js";
import type { Flight } from "../runtime/flight.js";
import type { Load } from "./load.js";

/** Emits the event of loaded values. */
export function reportLoaded(
  { environment, runtime }: Load,
  flights: readonly Flight[],
  duration: number,
): void {
  const { events } = environment;
  if (events.listeners.load === null || flights.length === 0) return;
  events.emit("load", { node: runtime.name, keys: keysOf(flights), duration });
}

/** Emits the event of failed loads. */
export function reportFailed(
  { environment, runtime }: Load,
  flights: readonly Flight[],
  duration: number,
  error: unknown,
): void {
  const { events } = environment;
  if (events.listeners.loadError === null) return;
  events.emit("loadError", { node: runtime.name, keys: keysOf(flights), duration, error });
}

/** Counts loads that are repeated after a pause, and emits their event. */
export function reportRetry(
  { environment, flights, runtime }: Load,
  attempt: number,
  delay: number,
  error: unknown,
): void {
  const { events } = environment;
  runtime.stats.retries += flights.length;
  if (events.listeners.loadRetry === null) return;
  events.emit("loadRetry", { node: runtime.name, keys: keysOf(flights), attempt, delay, error });
}

/** Returns the error of a load that has taken too long. */
export function loadTimeout({ flights, runtime }: Load): LoadError {
  const [first] = flights;
  const others = flights.length === 1 ? "" : ` and ${flights.length - 1} others`;
  return new LoadError(
    "CACHEME_LOAD_TIMEOUT",
    `The load of ${nodeLabel(runtime.name, first?.key ?? "")}${others} took longer than its loadTimeout of ` +
      `${runtime.meta.loadTimeout} ms. Make the source faster, or allow more in the node's meta.`,
    { node: runtime.name, key: first?.key },
  );
}

/** Returns the reason of an abort after every reader has left. */
export function nobodyWaits(): DOMException {
  return new DOMException("Nobody waits for this load any more.", "AbortError");
}

function keysOf(flights: readonly Flight[]): string[] {
  return flights.map(({ key }) => key);
}
