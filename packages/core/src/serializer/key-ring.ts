import type { KeyObject } from "node:crypto";
import { types } from "node:util";
import { ConfigurationError } from "../errors.js";
import { shown } from "../option-checks.js";
import type { KeyOptions, SecretKey } from "./secret-key.js";

/** The bytes of a key: 256 bits. */
const keyLength = 32;
const longestId = 64;

/** A key that is ready to be used. */
export interface ReadyKey {
  /** The id in UTF-8. */
  readonly id: Buffer;
  readonly secret: KeyObject;
}

/** The keys of one serializer, by id. Nothing in it shows a key in a log. */
export class KeyRing {
  /** The key that writes. */
  readonly first: ReadyKey;
  readonly #byId = new Map<string, KeyObject>();

  /**
   * @param owner the serializer's name in messages, such as `encrypted()`
   * @throws ConfigurationError `CACHEME_INVALID_OPTION`
   */
  constructor(owner: string, options: KeyOptions) {
    const keys: unknown = options?.keys;
    if (!Array.isArray(keys) || keys.length === 0)
      throw invalid(owner, `expected a list of keys, [{ id, key }], got ${shown(keys)}`);
    for (const each of keys as readonly (SecretKey | undefined)[]) {
      const id: unknown = each?.id;
      if (typeof id !== "string" || id === "" || Buffer.byteLength(id) > longestId)
        throw invalid(owner, `expected an id of 1 to ${longestId} bytes for each key, got ${shown(id)}`);
      // Another id would come back from the bytes, so no entry could be read.
      if (Buffer.from(id).toString() !== id)
        throw invalid(owner, `expected an id of whole characters, got ${shown(id)} with a lone surrogate`);
      if (this.#byId.has(id)) throw invalid(owner, `expected ids that differ, got ${shown(id)} twice`);
      this.#byId.set(id, secretOf(owner, id, each?.key));
    }
    const [[id, secret]] = this.#byId as unknown as readonly [[string, KeyObject]];
    this.first = { id: Buffer.from(id), secret };
  }

  /** Returns the key of that id; `undefined` if it is not one of the ring. */
  find(id: string): KeyObject | undefined {
    return this.#byId.get(id);
  }
}

function secretOf(owner: string, id: string, key: unknown): KeyObject {
  const { createSecretKey } = process.getBuiltinModule("node:crypto");
  if (types.isKeyObject(key)) {
    if (key.type === "secret" && key.symmetricKeySize === keyLength) return key;
  } else if (types.isUint8Array(key) && key.byteLength === keyLength) {
    // Copies the bytes, which the caller may wipe.
    return createSecretKey(Uint8Array.from(key));
  }
  throw invalid(
    owner,
    `expected ${keyLength} bytes as the key ${shown(id)}, a Uint8Array or a KeyObject, got ${described(key)}. ` +
      'A key in a variable of the environment is read by Buffer.from(process.env.CACHE_KEY, "base64")',
  );
}

/** Names the type only, because a message must not show a key. */
function described(key: unknown): string {
  if (types.isUint8Array(key)) return `${key.byteLength} bytes`;
  return key === null || key === undefined ? String(key) : `a value of type ${typeof key}`;
}

function invalid(owner: string, what: string): ConfigurationError {
  return new ConfigurationError("CACHEME_INVALID_OPTION", `${owner} ${what}.`);
}
