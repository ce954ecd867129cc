/**
 * Byte that the `tlfu` policy keeps per slot: a frequency (5 bits), a touched bit, and the region
 * (2 bits). The touched bit says whether the entry was hit since the policy last looked at it. A
 * hit is `marks[slot] = ON_HIT[marks[slot]]`.
 *
 * A `const enum`, for the reason given in `chunks.ts`.
 */
export const enum Mark {
  Frequency = 0b0001_1111,
  Touched = 0b0010_0000,
  Region = 0b1100_0000,
}

/** Bits of the regions. A slot in no region has the mark 0. */
export const enum RegionBits {
  Window = 0b0100_0000,
  Probation = 0b1000_0000,
  Protected = 0b1100_0000,
}

/**
 * Maximum count of hits. The fifth bit serves slots that ageing has not reached yet: they still use
 * the old scale.
 */
const MOST_HITS = 15;

/** Mark after a hit, by the mark before it: one more hit, up to the maximum, and touched. */
export const ON_HIT: Uint8Array = Uint8Array.from({ length: 256 }, (_, mark) =>
  (mark & Mark.Frequency) < MOST_HITS ? (mark + 1) | Mark.Touched : mark | Mark.Touched,
);
