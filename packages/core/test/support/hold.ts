import { type Deferred, deferred } from "./deferred.js";
import type { RemoteCall, SimulatedRemote } from "./simulated-remote.js";

/**
 * Holds the storage's requests of that kind until the result is resolved.
 *
 * @param moment whether they are held before they are carried out, or before they are answered
 */
export function hold(
  remote: SimulatedRemote,
  held: RemoteCall["operation"],
  moment: "request" | "answer",
): Deferred<void> {
  const gate = deferred();
  remote.gate = (operation, at) => (operation === held && at === moment ? gate.promise : undefined);
  return gate;
}
