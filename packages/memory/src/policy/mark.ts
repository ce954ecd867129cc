/**
 * The byte that the `tlfu` policy keeps per slot: a frequency (5 bits), whether the entry was touched since the
 * policy last looked at it, and the region it is in (2 bits). A hit is `marks[slot] = ON_HIT[marks[slot]]`.
 *
 * A `const enum`, for the reason told in chunks.ts.
 */
export const enum Mark {
  Frequency = 0b0001_1111,
  Touched = 0b0010_0000,
  Region = 0b1100_0000,
}

/** The regions. A slot that is in none has the mark 0. */
export const enum RegionBits {
  Window = 0b0100_0000,
  Probation = 0b1000_0000,
  Protected = 0b1100_0000,
}

/** Hits count up to here. The fifth bit is for the scale of slots that ageing has not reached yet. */
const MOST_HITS = 15;

/** What a hit makes of each mark: one more, up to the most, and touched. */
export const ON_HIT: Uint8Array = Uint8Array.from({ length: 256 }, (_, mark) =>
  (mark & Mark.Frequency) < MOST_HITS ? (mark + 1) | Mark.Touched : mark | Mark.Touched,
);
