/**
 * A key of `node:crypto`, such as `createSecretKey` makes. The type names no module of Node, because
 * it reaches the public types.
 */
export interface SecretKeyObject {
  readonly type: string;
  readonly symmetricKeySize?: number | undefined;
}

/** A secret key with its id. */
export interface SecretKey {
  /**
   * The name that entries carry, such as `"2026-01"`: 1 to 64 bytes. Never give a second key the id
   * of a first one.
   */
  readonly id: string;
  /** The key: 32 bytes of a random source, such as `crypto.randomBytes(32)`, or a `KeyObject`. */
  readonly key: Uint8Array | SecretKeyObject;
}

/** The options of `encrypted` and `signed`. */
export interface KeyOptions {
  /** The keys. The first one writes; entries of each of them are read, of others are misses. */
  readonly keys: readonly SecretKey[];
}
