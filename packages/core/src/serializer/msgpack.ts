import { Buffer } from "node:buffer";
import { types } from "node:util";
import { addExtension, Packr, Unpackr } from "msgpackr/pack";
import { isCarried } from "./carried-text.js";
import { decodeTable } from "./decode-table.js";
import { encodeTable } from "./encode-table.js";
import { type InPlaceSerializer, notPlain, readInPlace } from "./in-place.js";
import { readPlain } from "./read-plain.js";
import { failure } from "./refusal.js";
import type { Serializer } from "./serializer.js";
import { type SerializerOptions, ValueTypes } from "./value-type.js";
import { isOrdinaryMemory } from "./view-classes.js";

/**
 * Makes the default serializer, for MessagePack: small, fast, and nearly all data comes back as it
 * went in. It carries everything that JSON carries, and `undefined`, bigints, `NaN`, infinities and
 * `-0`. It also carries Dates, Maps, Sets, RegExps, and Errors of the standard classes with their
 * own properties. Further it carries Buffers, typed arrays, objects without a prototype, sparse
 * arrays, and values that contain themselves. It refuses functions, symbols and instances of
 * classes, unless `types` names them.
 *
 * Ordinary values (objects, arrays, strings, numbers, Dates, bytes) are plain MessagePack. Any
 * other value is written as a table of its parts. The table costs a few times as much to write and
 * to read. The table is MessagePack behind the byte 0xC1, which MessagePack never uses. An object
 * that is met twice may come back as two equal objects.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for invalid types, or two of one tag or class
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = { name: "user", caches: [{ storage: "redis", ttl: "1h" }], serializer: msgpack() };
 * ```
 */
export function msgpack(options?: SerializerOptions): Serializer {
  const types = ValueTypes.of("msgpack()", options);
  return types === undefined ? untyped : serializerOf(types);
}

function serializerOf(types: ValueTypes | undefined): InPlaceSerializer {
  return Object.freeze({
    codec: 2,
    encode(value: unknown): Uint8Array {
      looked = 0;
      seenLate = undefined;
      hasRows = false;
      const ordinary = isOrdinary(value, 0);
      seenLate = undefined;
      const table = ordinary ? undefined : encodeTable(value, types);
      try {
        if (table !== undefined) return marked(plain.pack(table));
        return (hasRows ? records : plain).pack(value);
      } catch (error) {
        throw failure("msgpack", error);
      }
    },
    decode(bytes: Uint8Array): unknown {
      // A Buffer, because its strings are read faster and its views come back as Buffers.
      const buffer = Buffer.isBuffer(bytes)
        ? bytes
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      if (buffer[0] === tableMark) return decodeTable(unpackr.unpack(buffer.subarray(1)), types);
      const value = readPlain(buffer);
      return value === notPlain ? unpackr.unpack(buffer) : value;
    },
    // No plain value begins with the mark of a table.
    [readInPlace]: readPlain,
  });
}

const untyped = serializerOf(undefined);

/** The mark of a table. MessagePack never uses it as the first byte of a value. */
const tableMark = 0xc1;

function marked(table: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(table.length + 1);
  bytes[0] = tableMark;
  bytes.set(table, 1);
  return bytes;
}

const options = { mapsAsObjects: true, moreTypes: true, useToJSON: false, copyBuffers: true } as const;
const plain = new Packr({ ...options, useRecords: false });
/**
 * Writes the keys of equally shaped objects once. Lists of rows take half the bytes, and a third of
 * the time to read.
 */
const records = new Packr({ ...options, useRecords: true });
const unpackr = new Unpackr({ ...options });

/*
 * Jest's jsdom environment has the classes of jsdom beside Node's Buffer, which is not a Uint8Array
 * there. An extension type carries such a Buffer, because msgpackr would write it as an object. The
 * type is read everywhere.
 */
// biome-ignore lint/plugin: asks which realm Node's own module is of
const isForeign = !(Buffer.alloc(0) instanceof Uint8Array);
addExtension({
  type: 0x55,
  unpack: (bytes: Uint8Array) => Buffer.from(bytes),
  ...(isForeign ? { Class: Buffer, pack: (buffer: Buffer) => buffer } : {}),
});

/** The fewest rows that pay for the function that msgpackr compiles to read them. */
const fewestRows = 16;
/**
 * The deepest nesting of ordinary values. Deeper values, and those that contain themselves, go into
 * a table, which is written without recursion.
 */
const deepestOrdinary = 200;
/** The most properties of one object that msgpackr can write. */
const mostNames = 0xffff;
/**
 * The number of values from which an object that is met twice goes into a table. Few objects can
 * otherwise make up an endless tree.
 */
const mostUnwatched = 100_000;

let looked = 0;
let seenLate: Set<object> | undefined;
let hasRows = false;

/**
 * Returns whether msgpackr carries the value exactly. Takes under a microsecond for an object of
 * 200 bytes. It may refuse a value that msgpackr could carry, but never accepts one that msgpackr
 * would change.
 */
function isOrdinary(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
      return isCarried(value);
    case "number":
      // msgpackr writes -0 as 0.
      return value !== 0 || 1 / value > 0;
    case "boolean":
    case "undefined":
      return true;
    case "bigint":
      return value >= -0x8000_0000_0000_0000n && value <= 0xffff_ffff_ffff_ffffn;
    case "object":
      return value === null || isOrdinaryObject(value, depth);
    default:
      return false;
  }
}

function isOrdinaryObject(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (prototype !== Object.prototype && !(isArray && prototype === Array.prototype)) {
    return isOrdinaryLeaf(value, prototype);
  }
  if (depth >= deepestOrdinary || (++looked > mostUnwatched && isSeenLate(value))) return false;
  return isArray ? isOrdinaryArray(value, depth) : isOrdinaryRecord(value, depth);
}

function isOrdinaryArray(array: readonly unknown[], depth: number): boolean {
  const { length } = array;
  // If there are as many names as elements and no hole (checked below), every name is an element.
  if (Object.keys(array).length !== length || Object.getOwnPropertySymbols(array).length > 0) return false;
  looked += length;
  for (let i = 0; i < length; i++) {
    const element = array[i];
    if (!isOrdinary(element, depth + 1) || (element === undefined && !Object.hasOwn(array, i))) return false;
  }
  if (length >= fewestRows && isRecord(array[0]) && isRecord(array[length - 1])) hasRows = true;
  return true;
}

function isOrdinaryRecord(object: object, depth: number): boolean {
  let names = 0;
  for (const name in object) {
    // msgpackr renames __proto__, and uses __keys__ itself.
    if (name === "__proto__" || name === "__keys__" || !isCarried(name)) return false;
    // The key must be the object's own, or the count below would be wrong.
    if (!isOrdinary((object as Readonly<Record<string, unknown>>)[name], depth + 1)) return false;
    names++;
  }
  looked += names;
  if (names > mostNames) return false;
  return (
    Object.getOwnPropertyNames(object).length === names && Object.getOwnPropertySymbols(object).length === 0
  );
}

function isOrdinaryLeaf(value: object, prototype: unknown): boolean {
  if (prototype === Date.prototype) return types.isDate(value) && Reflect.ownKeys(value).length === 0;
  if (prototype !== Buffer.prototype && prototype !== Uint8Array.prototype) return false;
  return types.isUint8Array(value) && isOrdinaryMemory(value.buffer);
}

function isRecord(value: unknown): boolean {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function isSeenLate(value: object): boolean {
  seenLate ??= new Set();
  if (seenLate.has(value)) return true;
  seenLate.add(value);
  return false;
}
