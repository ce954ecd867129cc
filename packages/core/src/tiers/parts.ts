/** The bounds of one request, which a healthy storage answers well within its deadline. */
export interface PartBounds {
  readonly keys: number;
  readonly bytes: number;
}

/** The most parts of large batches that a storage works on at once. */
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
 * Sends the parts of large batches, a few at once for all batches of a storage. So the deadline of each part begins when the
 * storage can work on it.
 */
export class Lanes {
  #free = mostUnderway;
  readonly #waiting: (() => void)[] = [];
  #drained: (() => void)[] = [];

  /** Settles when no part waits any more; `undefined` if none waits. */
  drained(): Promise<void> | undefined {
    if (this.#waiting.length === 0) return undefined;
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  /** Sends a batch. One that is a single part does not wait for the parts of others. */
  async sendAll<P>(parts: readonly P[], send: (part: P) => Promise<void>): Promise<void> {
    const [only] = parts;
    if (only === undefined) return;
    if (parts.length === 1) await send(only);
    else await Promise.all(parts.map((part) => this.#sendInTurn(part, send)));
  }

  async #sendInTurn<P>(part: P, send: (part: P) => Promise<void>): Promise<void> {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      await send(part);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free += 1;
      else next();
      if (this.#waiting.length === 0) this.#releaseDrained();
    }
  }

  #releaseDrained(): void {
    const drained = this.#drained;
    this.#drained = [];
    for (const resolve of drained) resolve();
  }
}
