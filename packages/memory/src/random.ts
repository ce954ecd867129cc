/** Source of random unsigned 32-bit integers. */
export type RandomSource = () => number;

/** Numbers per call of `getRandomValues`, which costs about 1 µs whatever it fills. */
const BATCH = 64;

/**
 * Returns the platform's cryptographic generator, at 20 ns a number. Hash multipliers must be
 * secret: an attacker who knew them could choose keys that all collide.
 */
export function secureRandom(): RandomSource {
  const batch = new Uint32Array(BATCH);
  let next = BATCH;
  return () => {
    if (next === BATCH) {
      crypto.getRandomValues(batch);
      next = 0;
    }
    return batch[next++] as number;
  };
}
