import { Buffer } from "node:buffer";
import { decodeEntry, encodeEntry, pack } from "../../entry/entry-codec.js";
import { asError, ConfigurationError, SerializationError } from "../../errors.js";
import type { JournalRecord } from "../../journal/journal.js";
import { nodeLabel } from "../../node/key.js";
import type { Node } from "../../node/node.js";
import type { ClassRuntime } from "../../runtime/class-runtime.js";
import { msgpack } from "../../serializer/msgpack.js";
import { uncheckedOf } from "../../serializer/unchecked.js";
import { cannotBeStored } from "../cannot-be-stored.js";
import type { GivenValue } from "../set.js";

/** The bytes before the node's fields: their length. */
const header = 4;

/** The serializer of a node's own fields. A class may have any for its values. */
const fields = msgpack();

/** A value of a journal, with the node that it belongs to. */
export interface JournaledValue {
  readonly runtime: ClassRuntime;
  readonly node: Node;
  readonly key: string;
  readonly value: unknown;
}

/** Returns the name that a journal has for the class. */
export function journalNode({ name, meta }: Pick<ClassRuntime, "name" | "meta">): string {
  return `${name}:${meta.version}`;
}

/**
 * Makes a class's records, and finds the nodes and values in them again. The class's schema checks
 * nothing here: the source and readers get each value as it was given.
 */
export class JournaledClass {
  readonly #runtime: ClassRuntime;
  readonly #beforeKey: string;
  /** Whether a node of the class was made again from its fields, and had the same key. */
  #isRestorable = false;

  /** @param beforeKey the beginning of each key in the journal */
  constructor(runtime: ClassRuntime, beforeKey: string) {
    this.#runtime = runtime;
    this.#beforeKey = beforeKey;
  }

  /** Returns the key's name in the journal. Versions of a class share it: only one may be written. */
  keyOf(key: string): string {
    return `${this.#beforeKey}${key}`;
  }

  /**
   * @throws SerializationError if the serializer cannot carry the value
   * @throws ConfigurationError `CACHEME_INVALID_NODE` if the node cannot be made again
   */
  encode({ node, key, value }: GivenValue, writtenAt: number): JournalRecord {
    const { kind, fingerprint, meta, name } = this.#runtime;
    const journalKey = this.keyOf(key);
    let payload: Uint8Array;
    try {
      const times = { writtenAt, freshUntil: Number.POSITIVE_INFINITY };
      payload = encodeEntry(
        pack(uncheckedOf(meta.serializer), value, journalKey, { node: name, key }),
        fingerprint,
        journalKey,
        times,
      );
    } catch (error) {
      throw cannotBeStored(error, kind, key);
    }
    const own = this.#fieldsOf(node, key);
    const bytes = Buffer.allocUnsafe(header + own.length + payload.length);
    bytes.writeUInt32BE(own.length, 0);
    bytes.set(own, header);
    bytes.set(payload, header + own.length);
    return { key: journalKey, node: journalNode(this.#runtime), bytes };
  }

  /** Returns the value in the bytes, with the time when it was saved; `undefined` if it is not readable. */
  valueIn(journalKey: string, bytes: Uint8Array): { value: unknown; writtenAt: number } | undefined {
    const { meta, fingerprint } = this.#runtime;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (buffer.length < header) return undefined;
    const start = header + buffer.readUInt32BE(0);
    if (start > buffer.length) return undefined;
    return decodeEntry(uncheckedOf(meta.serializer), fingerprint, journalKey, buffer.subarray(start));
  }

  /** @throws an error that says why the record cannot be read */
  decode({ key: journalKey, bytes }: JournalRecord): JournaledValue {
    const runtime = this.#runtime;
    const key = journalKey.slice(this.#beforeKey.length);
    const found = this.valueIn(journalKey, bytes);
    if (found === undefined) {
      throw new SerializationError(
        `The journaled value of ${nodeLabel(runtime.name, key)} cannot be read: it was written with another serializer, another key, or is damaged.`,
        "$",
        { node: runtime.name, key },
      );
    }
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const own = buffer.subarray(header, header + buffer.readUInt32BE(0));
    return { runtime, node: this.#restore(own, key), key, value: found.value };
  }

  #fieldsOf(node: Node, key: string): Uint8Array {
    const { name } = this.#runtime;
    let own: Uint8Array;
    try {
      own = pack(fields, { ...node }, "", { node: name, key }).payload;
    } catch (error) {
      throw unrestorable(name, key, asError(error).message, error);
    }
    if (!this.#isRestorable) {
      this.#restore(own, key);
      this.#isRestorable = true;
    }
    return own;
  }

  /** @throws ConfigurationError `CACHEME_INVALID_NODE` if the fields do not make the same node */
  #restore(own: Uint8Array, key: string): Node {
    const runtime = this.#runtime;
    const node = Object.create(runtime.prototype) as Node; // The prototype is that of a node class.
    let restored: string;
    try {
      Object.assign(node, fields.decode(own));
      const { scope } = runtime;
      restored =
        scope === undefined ? runtime.keyOf(node) : scope.scopes.runAsKey(key, () => runtime.keyOf(node));
    } catch (error) {
      throw unrestorable(runtime.name, key, asError(error).message, error);
    }
    if (restored === key) return node;
    throw unrestorable(runtime.name, key, `its key is then ${nodeLabel(runtime.name, restored)}`, undefined);
  }
}

function unrestorable(name: string, key: string, why: string, cause: unknown): ConfigurationError {
  return new ConfigurationError(
    "CACHEME_INVALID_NODE",
    `${nodeLabel(name, key)} cannot write behind, because another process cannot make it again from its fields: ${why}. ` +
      "Keep in public fields what key() and save() need, and nothing else, as in `constructor(readonly id: number)`.",
    { node: name, key, cause },
  );
}
