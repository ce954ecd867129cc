/** The bounds of one request, which a healthy storage answers well within its deadline. */
export interface PartBounds {
  readonly keys: number;
  readonly bytes: number;
}

/** The most parts of one batch that are sent at once. */
const mostUnderway = 4;

/**
 * Splits a batch into parts that keep the bounds. An item larger than the bounds is a part of its
 * own.
 */
export function partsOf<T>(
  items: readonly T[],
  { keys, bytes }: PartBounds,
  sizeOf: (item: T) => number,
): (readonly T[])[] {
  const parts: T[][] = [];
  let part: T[] = [];
  let size = 0;
  for (const item of items) {
    const added = sizeOf(item);
    if (part.length > 0 && (part.length >= keys || size + added > bytes)) {
      parts.push(part);
      part = [];
      size = 0;
    }
    part.push(item);
    size += added;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/**
 * Sends the parts, a few at once. So the deadline of each begins when the storage can work on it.
 */
export async function sendParts<P>(parts: readonly P[], send: (part: P) => Promise<void>): Promise<void> {
  const waiting = parts.values();
  const lane = async () => {
    for (const part of waiting) await send(part);
  };
  await Promise.all(Array.from({ length: Math.min(mostUnderway, parts.length) }, lane));
}
