import { types } from "node:util";
import { inThisRealm } from "../realm.js";
import { isDOMException, isError, standardClassOf } from "./error-classes.js";
import { isOrdinaryMemory, viewClasses } from "./view-classes.js";

/** The names of Cacheme's own serializers. */
export type SerializerName = "json" | "msgpack" | "v8";

/**
 * The serializers that carry each kind. The table in docs/serializers.md says the same, row by row,
 * and a test compares the two.
 */
const carriers = {
  "null, a boolean, a string or a number": ["json", "msgpack", "v8"],
  "undefined inside a value": ["msgpack", "v8"],
  "NaN or an infinity": ["msgpack", "v8"],
  "a bigint": ["msgpack", "v8"],
  "a plain object": ["json", "msgpack", "v8"],
  "an object without a prototype": ["msgpack"],
  "an object with properties under symbols": [],
  "an object with non-enumerable properties": [],
  "an array": ["json", "msgpack", "v8"],
  "a sparse array": ["msgpack", "v8"],
  "an array with named properties": ["msgpack", "v8"],
  "a Date": ["msgpack", "v8"],
  "a RegExp": ["msgpack", "v8"],
  "a RegExp with a lastIndex": ["msgpack"],
  "a Map or a Set": ["msgpack", "v8"],
  "an ArrayBuffer": ["msgpack", "v8"],
  "a typed array, a DataView or a Buffer": ["msgpack", "v8"],
  "shared or resizable memory": [],
  "an Error of a standard class": ["msgpack", "v8"],
  "an Error with properties of its own": ["msgpack"],
  "an Error of Node's own": ["msgpack"],
  "an AggregateError": ["msgpack"],
  "a DOMException": ["msgpack"],
  "a boxed primitive": ["v8"],
  "a built-in object with properties of its own": [],
  "an instance of a class": [],
  "a function": [],
  "a symbol": [],
  "a value that contains itself": ["msgpack", "v8"],
  "nested more than 1,000 levels deep": ["msgpack"],
  "few objects that stand for over 4,000,000 values": ["msgpack", "v8"],
} as const;

/** The kind of a value as serializers tell values apart, without its contents. */
export type Kind = keyof typeof carriers;

export function carriersOf(kind: Kind): readonly SerializerName[] {
  return carriers[kind];
}

export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case "undefined":
      return "undefined inside a value";
    case "number":
      return Number.isFinite(value) ? "null, a boolean, a string or a number" : "NaN or an infinity";
    case "bigint":
      return "a bigint";
    case "function":
      return "a function";
    case "symbol":
      return "a symbol";
    case "object":
      return value === null ? "null, a boolean, a string or a number" : kindOfObject(value);
    default:
      return "null, a boolean, a string or a number";
  }
}

function kindOfObject(value: object): Kind {
  const prototype = homePrototypeOf(value);
  if (Array.isArray(value))
    return prototype === Array.prototype ? kindOfArray(value) : "an instance of a class";
  if (prototype === Object.prototype) return kindOfProperties(value) ?? "a plain object";
  if (prototype === null) return kindOfProperties(value) ?? "an object without a prototype";
  if (ArrayBuffer.isView(value)) return kindOfView(value, prototype);
  if (isError(value)) return kindOfError(value);
  const kind = kindOfBuiltIn(value, prototype);
  if (kind === "an instance of a class") return kind;
  return hasOnly(value, types.isRegExp(value) ? ["lastIndex"] : [])
    ? kind
    : "a built-in object with properties of its own";
}

function kindOfArray(array: readonly unknown[]): Kind {
  if (Object.getOwnPropertySymbols(array).length > 0) return "an object with properties under symbols";
  const enumerable = Object.keys(array);
  // `length` is a name, too.
  if (enumerable.length !== Object.getOwnPropertyNames(array).length - 1)
    return "an object with non-enumerable properties";
  if (!enumerable.every(isIndex)) return "an array with named properties";
  return enumerable.length === array.length ? "an array" : "a sparse array";
}

/** Returns `undefined` if all properties are enumerable and have strings as keys. */
function kindOfProperties(object: object): Kind | undefined {
  if (Object.getOwnPropertySymbols(object).length > 0) return "an object with properties under symbols";
  return Object.getOwnPropertyNames(object).length === Object.keys(object).length
    ? undefined
    : "an object with non-enumerable properties";
}

function kindOfView(view: ArrayBufferView, prototype: unknown): Kind {
  if (prototype !== Buffer.prototype && !viewClasses.some((viewClass) => viewClass.prototype === prototype)) {
    return "an instance of a class";
  }
  return isOrdinaryMemory(view.buffer)
    ? "a typed array, a DataView or a Buffer"
    : "shared or resizable memory";
}

function kindOfError(error: Error): Kind {
  const standard = isDOMException(error)
    ? { name: "DOMException", byNode: undefined }
    : standardClassOf(error);
  if (standard === undefined) return "an instance of a class";
  const own = Reflect.ownKeys(error);
  if (own.some((key) => typeof key === "symbol")) return "an object with properties under symbols";
  if (standard.name === "DOMException") return "a DOMException";
  if (standard.byNode !== undefined) return "an Error of Node's own";
  if (standard.name === "AggregateError") return "an AggregateError";
  return own.every((key) => isStandardErrorProperty(error, key))
    ? "an Error of a standard class"
    : "an Error with properties of its own";
}

function isStandardErrorProperty(error: Error, key: string | symbol): boolean {
  if (Object.getOwnPropertyDescriptor(error, key)?.enumerable !== false) return false;
  if (key === "cause") return true;
  return (key === "message" || key === "stack") && typeof error[key] === "string";
}

/**
 * Returns the value's prototype. For a built-in class of another realm it is this realm's
 * prototype, because the value is carried as this realm's.
 */
export function homePrototypeOf(value: object): object | null {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype === null ? null : inThisRealm(prototype);
}

function kindOfBuiltIn(value: object, prototype: unknown): Kind {
  switch (prototype) {
    case Date.prototype:
      return types.isDate(value) ? "a Date" : "an instance of a class";
    case RegExp.prototype:
      if (!types.isRegExp(value)) return "an instance of a class";
      return value.lastIndex === 0 ? "a RegExp" : "a RegExp with a lastIndex";
    case Map.prototype:
      return types.isMap(value) ? "a Map or a Set" : "an instance of a class";
    case Set.prototype:
      return types.isSet(value) ? "a Map or a Set" : "an instance of a class";
    case ArrayBuffer.prototype:
      if (!types.isArrayBuffer(value)) return "an instance of a class";
      return isOrdinaryMemory(value) ? "an ArrayBuffer" : "shared or resizable memory";
    case SharedArrayBuffer.prototype:
      return "shared or resizable memory";
    default:
      return types.isBoxedPrimitive(value) && isPlainlyBoxed(prototype)
        ? "a boxed primitive"
        : "an instance of a class";
  }
}

/**
 * Returns whether the prototype boxes a primitive that a serializer carries. No serializer carries
 * boxed symbols.
 */
function isPlainlyBoxed(prototype: unknown): boolean {
  return [Number.prototype, String.prototype, Boolean.prototype, BigInt.prototype].some(
    (boxed) => boxed === prototype,
  );
}

function hasOnly(value: object, expected: readonly string[]): boolean {
  const own = Reflect.ownKeys(value);
  if (types.isStringObject(value)) return own.length === value.length + 1;
  return (
    own.length === expected.length && own.every((key) => typeof key === "string" && expected.includes(key))
  );
}

/** Returns whether a property of an array is one of its elements. */
export function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index !== 2 ** 32 - 1 && String(index) === key;
}
