/** A source of random unsigned 32-bit integers. */
export type RandomSource = () => number;

/** How many numbers are fetched at once: a call of `getRandomValues` costs about 1 µs, whatever it fills. */
const BATCH = 64;

/**
 * The platform's cryptographic generator, 20 ns a number. Hash multipliers must be secret: who knew them could
 * choose keys that all meet in one place.
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
