import { homePrototypeOf } from "./kind.js";
import { deepest, failure, refusal, refuseUncarried } from "./refusal.js";
import type { Serializer } from "./serializer.js";
import { tagged, taggedMark, untagged } from "./tagged-json.js";
import { type SerializerOptions, ValueTypes } from "./value-type.js";

/**
 * Makes a serializer for JSON, which people and other programs can read. It carries objects,
 * arrays, strings, finite numbers (`-0` too), booleans and `null`, and `undefined` as the whole
 * value. It refuses all other values that `JSON.stringify` would drop or change, unless `types`
 * names them. Examples are `undefined` inside a value, `NaN`, Dates, Maps and bytes. An object that
 * is met twice comes back as two equal objects.
 *
 * @throws ConfigurationError `CACHEME_INVALID_OPTION` for invalid types, or two of one tag or class
 *
 * @example
 * ```ts
 * static override meta: NodeMeta = { name: "user", caches: [{ storage: "redis", ttl: "1h" }], serializer: json() };
 * ```
 */
export function json(options?: SerializerOptions): Serializer {
  const types = ValueTypes.of("json()", options);
  return types === undefined ? untyped : serializerOf(types);
}

function serializerOf(types: ValueTypes | undefined): Serializer {
  return Object.freeze({
    codec: 1,
    encode(value: unknown): Uint8Array {
      // Writes undefined as no bytes, because no JSON is empty.
      if (value === undefined) return new Uint8Array(0);
      if (!isPlain(value)) return encodeTagged(value, types);
      try {
        return Buffer.from(hasNegativeZero ? stringify(value) : JSON.stringify(value));
      } catch (error) {
        throw failure("json", error);
      }
    },
    decode(bytes: Uint8Array): unknown {
      if (bytes.length === 0) return undefined;
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
      return types !== undefined && text.startsWith(taggedMark)
        ? untagged(JSON.parse(text.slice(taggedMark.length)), types)
        : JSON.parse(text);
    },
  });
}

const untyped = serializerOf(undefined);

/** Returns whether the whole value is JSON's own, and not too large. */
function isPlain(value: unknown): boolean {
  looked = 0;
  written = 0;
  checkedLate = undefined;
  hasNegativeZero = false;
  const carried = isCarried(value, 0);
  checkedLate = undefined;
  return carried;
}

function encodeTagged(value: unknown, types: ValueTypes | undefined): Uint8Array {
  const typed = refuseUncarried(value, "json", types);
  const plain = typed.size === 0 ? undefined : tagged(value, typed);
  if (plain === undefined || !isPlain(plain)) {
    throw refusal("$", value, "few objects that stand for over 4,000,000 values", "json");
  }
  try {
    return Buffer.from(taggedMark + stringify(plain));
  } catch (error) {
    throw failure("json", error);
  }
}

/**
 * The number of values from which an object that is met twice is not checked twice. Few objects can
 * otherwise make up an endless tree.
 */
const mostUnwatched = 100_000;

/**
 * The most values that may be written repeatedly, which takes a fraction of a second. JSON writes
 * an object wherever it occurs.
 */
const mostRepeated = 4_000_000;

/** The number of values that were checked, and the number that the JSON will have. */
let looked = 0;
let written = 0;
/** The number of values that each object makes in the JSON. */
let checkedLate: Map<object, number> | undefined;
let hasNegativeZero = false;

/**
 * Returns whether JSON carries the value exactly. Takes under a microsecond for an object of 200
 * bytes.
 */
function isCarried(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
      return true;
    case "number":
      if (value === 0 && 1 / value < 0) hasNegativeZero = true;
      return Number.isFinite(value);
    case "object":
      return value === null || isCarriedObject(value, depth);
    default:
      return false;
  }
}

function isCarriedObject(value: object, depth: number): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const isArray = Array.isArray(value);
  if (
    prototype !== (isArray ? Array.prototype : Object.prototype) &&
    homePrototypeOf(value) !== (isArray ? Array.prototype : Object.prototype)
  ) {
    return false;
  }
  if (depth > deepest) return false;
  const late = ++looked > mostUnwatched;
  const before = written++;
  if (late) {
    const known = checkedLate?.get(value);
    if (known !== undefined) {
      looked--;
      written = before + known;
      return written - looked <= mostRepeated;
    }
  }
  if (!(isArray ? isCarriedArray(value, depth) : isCarriedRecord(value, depth))) return false;
  // Checks this last, because a value that contains itself must go on until it is too deep.
  if (late) {
    checkedLate ??= new Map();
    checkedLate.set(value, written - before);
  }
  return true;
}

function isCarriedArray(array: readonly unknown[], depth: number): boolean {
  const { length } = array;
  // If there are as many names as elements and no hole (which reads as undefined), every name is an
  // element.
  if (Object.keys(array).length !== length || Object.getOwnPropertySymbols(array).length > 0) return false;
  looked += length;
  written += length;
  for (let i = 0; i < length; i++) if (!isCarried(array[i], depth + 1)) return false;
  return true;
}

function isCarriedRecord(object: object, depth: number): boolean {
  let names = 0;
  for (const name in object) {
    // The key must be the object's own, or the count below would be wrong.
    if (!isCarried((object as Readonly<Record<string, unknown>>)[name], depth + 1)) return false;
    names++;
  }
  looked += names;
  written += names;
  return (
    Object.getOwnPropertyNames(object).length === names && Object.getOwnPropertySymbols(object).length === 0
  );
}

/**
 * Writes the value as JSON. JSON has a negative zero and `JSON.parse` reads it, but
 * `JSON.stringify` writes 0.
 */
function stringify(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return `[${value.map(stringify).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, each]) => `${JSON.stringify(key)}:${stringify(each)}`)
    .join(",")}}`;
}
