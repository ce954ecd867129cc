/** Throws where the structure is not as it must be. */
export function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(`Structure: ${message}`);
}
