/** What is to be done when a signal aborts. One listener a signal: a listener for each reader costs more and makes Node warn. */
const leaving = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * A flight's answer, for a reader that leaves with the signal's reason when the signal aborts.
 *
 * @param left is called when the reader has left
 */
export function leaveOnAbort(
  answer: Promise<unknown>,
  signal: AbortSignal,
  left: () => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const leaves = leavesOf(signal);
    const leave = () => {
      reject(signal.reason);
      left();
    };
    const stay = () => {
      leaves.delete(leave);
      if (leaves.size === 0) forget(signal);
    };
    leaves.add(leave);
    answer.then(
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
