/**
 * The generations of tags. An entry is valid while every one of its tags still has the generation that the entry was
 * written under, so that one write invalidates any number of entries.
 *
 * A generation stands in the storage like a record, under a key of its own: `readMany` answers it as bytes, for
 * {@link generationFrom}, in the same batch as the entries that carry the tag. A generation that is lost (expired,
 * evicted, removed) costs misses and nothing else: the next one has another id.
 *
 * A batch is one round trip, and its answers are in the order of `keys`. A key may stand in a batch more than once.
 */
export interface Generations {
  /**
   * Makes a generation under each key that has none, and reads all. Of many that ask at once, one makes it.
   *
   * @param ttl milliseconds that each of them is kept from now on at least; `undefined` keeps it until it is removed
   */
  ensure(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]>;
  /** Puts a new generation under each key, whatever was there. Every later read sees it. */
  bump(keys: readonly string[], ttl: number | undefined): Promise<readonly Generation[]>;
}

/** One generation of one tag. */
export interface Generation {
  /** Random: no two generations ever have the same. */
  readonly id: string;
  /**
   * When it was made, in whole milliseconds since the epoch on the storage's clock. Never earlier than the one that it replaced,
   * also where that clock was set back.
   */
  readonly at: number;
}

const written = /^([0-9A-Za-z_-]{1,64})@(\d{1,16})$/;

/** The generation in the bytes that `readMany` answered, `undefined` where there is none. */
export function generationFrom(bytes: Uint8Array | undefined): Generation | undefined {
  if (bytes === undefined || bytes.length > 81) return undefined;
  const [, id, at] = written.exec(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) ?? [];
  return id === undefined || at === undefined ? undefined : { id, at: Number(at) };
}

/**
 * The form in which a generation stands in a storage: `id@at` as text, so that a database's own functions can write it
 * with the database's own time.
 */
export function generationText({ id, at }: Generation): string {
  return `${id}@${at}`;
}
