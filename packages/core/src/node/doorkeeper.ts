import { ConfigurationError } from "../errors.js";
import { grouped } from "../grouped.js";
import { hashOf, mixed } from "../hash.js";

/**
 * A doorkeeper for a node class. If a key is loaded for the first time, its value is returned, but
 * not stored. From the second time on the value is stored. So keys that are requested once do not
 * evict keys that are requested again. The doorkeeper remembers keys in a Bloom filter, and starts
 * again after `size` loads.
 *
 * @example
 * ```ts
 * const meta: NodeMeta = {
 *   caches: [{ storage: "local", ttl: "10m" }],
 *   doorkeeper: { size: 100_000, falsePositiveRate: 0.01 },
 * };
 * ```
 */
export interface DoorkeeperOptions {
  /**
   * The number of loads after which the doorkeeper forgets all keys. A whole number from 1 to
   * 100,000,000.
   */
  readonly size: number;
  /**
   * The highest share of new keys that are mistaken for known ones; above 0 and below 1. Default
   * 0.01. A smaller rate takes more memory: 1.2 bytes for each of `size` at 0.01, 1.8 at 0.001.
   */
  readonly falsePositiveRate?: number | undefined;
}

/**
 * The largest size: half a gigabyte at the smallest useful rate. A larger one is a typing error.
 */
const largestSize = 100_000_000;

interface Validated extends DoorkeeperOptions {
  readonly falsePositiveRate: number;
}

function validated(options: DoorkeeperOptions, node: string | undefined): Validated {
  const { size, falsePositiveRate = 0.01 } = options ?? {};
  if (!(Number.isInteger(size) && size >= 1 && size <= largestSize)) {
    throw invalid("size", size, `Give a whole number from 1 to ${grouped(largestSize)}.`, node);
  }
  if (!(falsePositiveRate >= smallestRate && falsePositiveRate < 1)) {
    throw invalid(
      "falsePositiveRate",
      falsePositiveRate,
      `Give a number from ${smallestRate} to below 1, such as 0.01.`,
      node,
    );
  }
  return { size, falsePositiveRate };
}

/** The smallest rate. Below it, the hashes of two keys are as likely to agree. */
const smallestRate = 1e-9;

function invalid(
  option: string,
  value: unknown,
  advice: string,
  node: string | undefined,
): ConfigurationError {
  const whose = node === undefined ? "" : ` in node "${node}"`;
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return new ConfigurationError(
    "CACHEME_INVALID_OPTION",
    `The option ${option} of doorkeeper${whose} is ${shown}. ${advice}`,
    { node },
  );
}

/**
 * Remembers keys in bits, in bounded memory. The filter always recognizes a key that it has seen.
 * It takes a new key for a known one at the false-positive rate, at most. It uses as many hashes as
 * Bloom (1970) finds best, k = -log2 p. The number of bits follows from that whole number of
 * hashes: p = (1 - e^(-kn/m))^k.
 */
export class BloomFilter {
  readonly #size: number;
  readonly #bits: Uint32Array;
  readonly #hashes: number;
  #requests = 0;

  /** @throws ConfigurationError `CACHEME_INVALID_OPTION` for a size or a rate out of range */
  constructor(options: DoorkeeperOptions, node?: string) {
    const { size, falsePositiveRate } = validated(options, node);
    const hashes = Math.max(1, Math.round(-Math.log2(falsePositiveRate)));
    const bits = (-hashes * size) / Math.log(1 - falsePositiveRate ** (1 / hashes));
    this.#hashes = hashes;
    // Takes at least a few words, because the formula for many keys does not hold for two.
    this.#bits = new Uint32Array(Math.max(2, Math.ceil(bits / 32)));
    this.#size = size;
  }

  /**
   * Returns whether the key was seen since the last reset, and remembers it. Each call counts as
   * one of `size` requests.
   */
  admits(key: string): boolean {
    if (this.#requests === this.#size) this.#reset();
    this.#requests += 1;
    return this.#visit(key, true);
  }

  /** Returns whether the key was seen since the last reset. */
  knows(key: string): boolean {
    return this.#visit(key, false);
  }

  #visit(key: string, remembers: boolean): boolean {
    // Kirsch and Mitzenmacher (2006): two hashes make as many as needed. The step is odd, so that
    // it never stands still.
    let at = hashOf(key);
    const step = mixed(at ^ 0x9e3779b1) | 1;
    const bits = this.#bits;
    const length = bits.length * 32;
    let seen = true;
    for (let i = 0; i < this.#hashes; i++) {
      const bit = at % length;
      const word = bit >>> 5;
      const mask = 1 << (bit & 31);
      const before = bits[word] ?? 0;
      if ((before & mask) === 0) {
        seen = false;
        if (remembers) bits[word] = before | mask;
      }
      at = (at + step) >>> 0;
    }
    return seen;
  }

  #reset(): void {
    this.#bits.fill(0);
    this.#requests = 0;
  }
}
