/**
 * Throws if a part of the structure is wrong. Builds the message only then, because a walk makes a
 * hundred thousand checks.
 */
export function check(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Error(`Structure: ${message()}`);
}
