/** Returns a small seeded generator (mulberry32), so that all libraries get the same requests. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns `length` numbers below `bound`, all equally likely. */
export function uniform(length: number, bound: number, random: () => number): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = random() * bound;
  return numbers;
}

/**
 * Returns `length` numbers below `bound`. The probability of the k-th most frequent is proportional
 * to 1 / k^skew (Gray and others, "Quickly generating billion-record synthetic databases", 1994).
 * They are spread over the range, so that rank and key differ.
 */
export function zipf(length: number, bound: number, skew: number, random: () => number): Int32Array {
  const cumulative = new Float64Array(bound);
  let sum = 0;
  for (let rank = 0; rank < bound; rank++) {
    sum += (rank + 1) ** -skew;
    cumulative[rank] = sum;
  }
  const place = shuffled(bound, random);
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = place[firstAtLeast(cumulative, random() * sum)] ?? 0;
  return numbers;
}

function shuffled(length: number, random: () => number): Int32Array {
  const numbers = Int32Array.from({ length }, (_, i) => i);
  for (let i = length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    const kept = numbers[i] ?? 0;
    numbers[i] = numbers[other] ?? 0;
    numbers[other] = kept;
  }
  return numbers;
}

function firstAtLeast(rising: Float64Array, wanted: number): number {
  let low = 0;
  let high = rising.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rising[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
