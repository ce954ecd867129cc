/**
 * The generations of tags. An entry is valid while each of its tags still has the generation that
 * the entry was written under. So one write invalidates any number of entries.
 *
 * A generation is stored like a record, under a key of its own. `readMany` answers its bytes, for
 * {@link generationFrom}, in the same batch as the entries that carry the tag. A generation that is
 * lost (expired, evicted, removed) only costs misses: the next one has another id.
 *
 * A batch is one round trip, and its answers are in the order of `keys`. A key may occur in a batch
 * more than once.
 */
export interface Generations {
  /**
   * Makes a generation under each key that has none, and reads all. If several callers ask at once,
   * one of them makes it.
   *
   * @param ttl milliseconds that each generation is kept from now on at least; `undefined` keeps it
   *   until it is removed
   */
  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]>;
  /** Replaces the generation under each key. Each later read sees the new one. */
  bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]>;
}

/** One generation of one tag. */
export interface Generation {
  /** A random id. No two generations ever have the same. */
  readonly id: string;
  /**
   * The time when it was made, in whole milliseconds since the epoch on the storage's clock. It is
   * never earlier than the time of the generation that it replaced, even if that clock was set
   * back.
   */
  readonly at: number;
}

const written = /^([0-9A-Za-z_-]{1,64})@(\d{1,16})$/;

/**
 * Returns the generation in the bytes that `readMany` answered, `undefined` if there are no bytes.
 */
export function generationFrom(bytes: Uint8Array | undefined): Generation | undefined {
  if (bytes === undefined || bytes.length > 81) return undefined;
  const [, id, at] = written.exec(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) ?? [];
  return id === undefined || at === undefined ? undefined : { id, at: Number(at) };
}

const atSign = 0x40;
const digitZero = 0x30;

/** Returns whether {@link generationFrom} would return this generation for the bytes. Makes no string. */
export function isGeneration({ id, at }: Generation, bytes: Uint8Array): boolean {
  const { length } = id;
  if (length === 0 || bytes.length < length + 2 || bytes.length > length + 17) return false;
  for (let place = 0; place < length; place++) {
    if (bytes[place] !== id.charCodeAt(place)) return false;
  }
  if (bytes[length] !== atSign) return false;
  let time = 0;
  for (let place = length + 1; place < bytes.length; place++) {
    const digit = (bytes[place] ?? 0) - digitZero;
    if (digit < 0 || digit > 9) return false;
    time = time * 10 + digit;
  }
  return time === at;
}

/**
 * Returns the form in which a storage keeps a generation: the string `id@at`. A database's own
 * functions can write it with the database's own time.
 */
export function generationText({ id, at }: Generation): string {
  return `${id}@${at}`;
}
