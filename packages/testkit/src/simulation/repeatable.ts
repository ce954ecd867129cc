/**
 * Runs a function while `Math.random` gives the same numbers each time. Errors have no stacks
 * meanwhile: most of them are simulated failures, and a stack costs more than the rest of a failure.
 */
export async function repeatable<T>(act: () => Promise<T>): Promise<T> {
  const { random } = Math;
  const { stackTraceLimit } = Error;
  Math.random = numbers();
  Error.stackTraceLimit = 0;
  try {
    return await act();
  } finally {
    Math.random = random;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** Returns a function that gives the same numbers each time: mulberry32. */
function numbers(): () => number {
  let state = 1;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
