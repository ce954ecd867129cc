import { types } from "node:util";

/** The serializers of Cacheme's own. */
export type SerializerName = "json" | "msgpack" | "v8";

/** Who carries what. The table in docs/serializers.md says the same, row by row, and a test holds both to it. */
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
  "a boxed primitive": ["v8"],
  "a built-in object with properties of its own": [],
  "an instance of a class": [],
  "a function": [],
  "a symbol": [],
  "a value that contains itself": ["msgpack", "v8"],
  "nested more than 1,000 levels deep": ["msgpack"],
} as const;

/** What a value is, as far as serializers are concerned, without looking at what it contains. */
export type Kind = keyof typeof carriers;

export function carriersOf(kind: Kind): readonly SerializerName[] {
  return carriers[kind];
}

/** A standard error class, by the name that its instances inherit. */
export const errorClasses: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((errorClass) => [
    errorClass.name,
    errorClass,
  ]),
);

/** The kinds of views, in the order of the numbers that stand for them in stored bytes: add only at the end. */
export const viewClasses: readonly ViewConstructor[] = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
];

/** Makes a view of a whole buffer. */
export interface ViewConstructor {
  readonly prototype: ArrayBufferView;
  new (buffer: ArrayBuffer): ArrayBufferView;
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
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value))
    return prototype === Array.prototype ? kindOfArray(value) : "an instance of a class";
  if (prototype === Object.prototype) return kindOfProperties(value) ?? "a plain object";
  if (prototype === null) return kindOfProperties(value) ?? "an object without a prototype";
  if (ArrayBuffer.isView(value)) return kindOfView(value, prototype);
  if (types.isNativeError(value)) return kindOfError(value, prototype);
  const kind = kindOfBuiltIn(value, prototype);
  if (kind === "an instance of a class") return kind;
  return hasOnly(value, types.isRegExp(value) ? ["lastIndex"] : [])
    ? kind
    : "a built-in object with properties of its own";
}

function kindOfArray(array: readonly unknown[]): Kind {
  if (Object.getOwnPropertySymbols(array).length > 0) return "an object with properties under symbols";
  const enumerable = Object.keys(array);
  // The length is a name of its own.
  if (enumerable.length !== Object.getOwnPropertyNames(array).length - 1)
    return "an object with non-enumerable properties";
  if (!enumerable.every(isIndex)) return "an array with named properties";
  return enumerable.length === array.length ? "an array" : "a sparse array";
}

/** `undefined` where all properties are enumerable and under strings. */
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

/** Whether the bytes belong to this thread and cannot grow. `resizable` is older in Node than in TypeScript's ES2023. */
export function isOrdinaryMemory(
  buffer: ArrayBufferLike & { readonly resizable?: boolean },
): buffer is ArrayBuffer {
  return types.isArrayBuffer(buffer) && buffer.resizable !== true;
}

function kindOfError(error: Error, prototype: unknown): Kind {
  // The class is looked up by the name on the prototype, which an instance may hide.
  if (errorClasses.get(errorClassName(error))?.prototype !== prototype) return "an instance of a class";
  const own = Reflect.ownKeys(error);
  if (own.some((key) => typeof key === "symbol")) return "an object with properties under symbols";
  return own.every((key) => isStandardErrorProperty(error, key))
    ? "an Error of a standard class"
    : "an Error with properties of its own";
}

export function errorClassName(error: Error): string {
  const { name }: { name?: unknown } = Object.getPrototypeOf(error);
  return typeof name === "string" ? name : "";
}

function isStandardErrorProperty(error: Error, key: string | symbol): boolean {
  if (Object.getOwnPropertyDescriptor(error, key)?.enumerable !== false) return false;
  if (key === "cause") return true;
  return (key === "message" || key === "stack") && typeof error[key] === "string";
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

/** Boxed symbols are not among them: nobody carries those. */
function isPlainlyBoxed(prototype: unknown): boolean {
  return [Number.prototype, String.prototype, Boolean.prototype, BigInt.prototype].some(
    (boxed) => boxed === prototype,
  );
}

function hasOnly(value: object, expected: readonly string[]): boolean {
  const own = Reflect.ownKeys(value);
  if (value instanceof String) return own.length === value.length + 1;
  return (
    own.length === expected.length && own.every((key) => typeof key === "string" && expected.includes(key))
  );
}

/** Whether a property of an array is one of its elements. */
export function isIndex(key: string): boolean {
  const index = Number(key) >>> 0;
  return index !== 2 ** 32 - 1 && String(index) === key;
}
