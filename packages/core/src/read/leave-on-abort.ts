import type { Flight } from "./flight.js";

/** What is to be done when a signal aborts. One listener a signal: a listener for each reader costs more and makes Node warn. */
const leaving = new WeakMap<AbortSignal, Set<() => void>>();

/** The flight's answer, for a reader that leaves with the signal's reason when the signal aborts. */
export function leaveOnAbort(flight: Flight, signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const leaves = leavesOf(signal);
    const leave = () => {
      reject(signal.reason);
      flight.leave();
    };
    const stay = () => {
      leaves.delete(leave);
      if (leaves.size === 0) forget(signal);
    };
    leaves.add(leave);
    flight.answer().then(
      (value) => {
        stay();
        resolve(value);
      },
      (error) => {
        stay();
        reject(error);
      },
    );
  });
}

function leavesOf(signal: AbortSignal): Set<() => void> {
  const known = leaving.get(signal);
  if (known !== undefined) return known;
  const leaves = new Set<() => void>();
  leaving.set(signal, leaves);
  signal.addEventListener("abort", leaveAll);
  return leaves;
}

function leaveAll(event: Event): void {
  const signal = event.target as AbortSignal; // It is only ever added to signals.
  const leaves = leaving.get(signal) ?? [];
  forget(signal);
  for (const leave of leaves) leave();
}

function forget(signal: AbortSignal): void {
  leaving.delete(signal);
  signal.removeEventListener("abort", leaveAll);
}
