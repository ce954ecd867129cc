/** 64 MiB. */
export const defaultMaxDecompressedSize: number = 64 * 2 ** 20;

/** The growth above which a payload looks forged: records of a database grow 5 to 20 times. */
const ordinaryGrowth = 32;

/** Returns how many bytes the payloads of such growth may take up in one batch. */
function unusualSize(largest: number): number {
  return Math.floor(largest / 8);
}

/**
 * Returns whether a reader with this limit decompresses the payload, if no other payload of its
 * batch is unusual.
 */
export function mayDecompress(size: number, compressedSize: number, largest: number): boolean {
  return size <= largest && (size <= compressedSize * ordinaryGrowth || size <= unusualSize(largest));
}

/**
 * Bounds the size that the compressed payloads of a batch may grow to. An attacker may have written
 * the bytes of a storage. A few kilobytes can grow a thousand times. Decoding them can take fifty
 * times as much memory again, such as for a list of empty objects. So a payload may grow as records
 * do. The payloads of a batch that grow more share one allowance.
 */
export class DecompressionLimit {
  #unusual = 0;

  /**
   * Calls `decompress` with the size that the payload may grow to.
   *
   * @throws the error of `decompress`
   */
  within(compressedSize: number, largest: number, decompress: (limit: number) => Uint8Array): Uint8Array {
    const ordinary = Math.min(largest, compressedSize * ordinaryGrowth);
    const limit = Math.min(largest, Math.max(ordinary, unusualSize(largest) - this.#unusual));
    let size = limit;
    try {
      const bytes = decompress(limit);
      size = bytes.length;
      return bytes;
    } finally {
      if (size > ordinary) this.#spend(size);
    }
  }

  /**
   * Resets the sum when the promise jobs run, because a batch's answers are read one after another
   * before.
   */
  #spend(size: number): void {
    if (this.#unusual === 0) {
      void Promise.resolve().then(() => {
        this.#unusual = 0;
      });
    }
    this.#unusual += size;
  }
}
