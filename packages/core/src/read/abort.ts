/**
 * The tasks to run when a signal aborts. Each signal has one listener, because a listener for each
 * reader costs more and makes Node warn.
 */
const leaving = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Returns a flight's answer for a reader. When the signal aborts, the reader leaves, and the answer
 * rejects with the signal's reason.
 *
 * @param left called when the reader has left
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
