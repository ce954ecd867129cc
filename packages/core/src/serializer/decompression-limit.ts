/** 64 MiB. */
export const defaultMaxDecompressedSize: number = 64 * 2 ** 20;

/** What grows by more than this looks forged: records of a database grow 5 to 20 times. */
const ordinaryGrowth = 32;

/** The part of the largest size that payloads of such growth may take up in one batch. */
function unusualSize(largest: number): number {
  return Math.floor(largest / 8);
}

/** Whether any reader with this limit decompresses the payload, if it is the only unusual one of its batch. */
export function mayDecompress(size: number, compressedSize: number, largest: number): boolean {
  return size <= largest && (size <= compressedSize * ordinaryGrowth || size <= unusualSize(largest));
}

/**
 * What the compressed payloads of a batch may grow to. The bytes of a storage may be an attacker's: a few kilobytes can be made
 * to grow a thousand times, and what they say, such as a list of empty objects, takes up to fifty times as much memory again. So
 * a payload may grow as records do, and whatever grows more shares an allowance with the others of its batch.
 */
export class DecompressionLimit {
  #unusual = 0;

  /**
   * Calls `decompress` with the size that the payload may grow to.
   *
   * @throws what `decompress` throws
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

  /** The answers of a batch are read one after another: when that is done, the promise jobs run. */
  #spend(size: number): void {
    if (this.#unusual === 0) {
      void Promise.resolve().then(() => {
        this.#unusual = 0;
      });
    }
    this.#unusual += size;
  }
}
