/** The bounds of one request: what a sound storage answers well within its deadline. */
export interface PartBounds {
  readonly keys: number;
  readonly bytes: number;
}

/** How many parts of one batch are on their way at once. */
const mostUnderway = 4;

/** Splits a batch into parts that keep the bounds; an item larger than that is a part of its own. */
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

/** Sends the parts, a few at once, so that the deadline of each begins when the storage can see to it. */
export async function sendParts<T>(
  parts: readonly (readonly T[])[],
  send: (part: readonly T[]) => Promise<void>,
): Promise<void> {
  const waiting = parts.values();
  const lane = async () => {
    for (const part of waiting) await send(part);
  };
  await Promise.all(Array.from({ length: Math.min(mostUnderway, parts.length) }, lane));
}
