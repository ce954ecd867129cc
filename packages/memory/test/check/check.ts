/** Throws where the structure is not as it must be. The message is made only then: a walk asks a hundred thousand times. */
export function check(holds: boolean, message: () => string): asserts holds {
  if (!holds) throw new Error(`Structure: ${message()}`);
}
