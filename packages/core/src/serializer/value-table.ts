import { types } from "node:util";
import { emptyError, isDOMException, isError, type NodeErrorForm, standardClassOf } from "./error-classes.js";
import { homePrototypeOf, kindOf } from "./kind.js";
import { refuseUncarried } from "./refusal.js";
import { viewClasses } from "./view-classes.js";
import { isWellFormed } from "./well-formed.js";

/*
 * A value as a flat list of its parts, for msgpackr to write where it could not write the value itself. The first part is the
 * whole value; parts name each other by their place in the list, so a value may contain itself, and nesting needs no stack. A
 * part that is no array stands for itself; an array starts with one of these numbers, which never change:
 */
const code = {
  /** key, part, key, part … */
  object: 0,
  objectWithoutPrototype: 1,
  /** part, part … */
  array: 2,
  /** length, key, part, key, part …: what has holes, or names beside its elements */
  sparseArray: 3,
  /** part of the key, part of the value … */
  map: 4,
  /** part, part … */
  set: 5,
  /** source, flags, lastIndex */
  regExp: 6,
  /** class, then key, whether enumerable, part … */
  error: 7,
  /** bytes */
  arrayBuffer: 8,
  /** class (its place among viewClasses), bytes */
  view: 9,
  /** text that UTF-8 cannot carry */
  text: 10,
  negativeZero: 11,
  /** more than 64 bits: hexadecimal digits with their sign */
  bigint: 12,
  /** as an error, of a class that Node derives from the one named; its `toString` shows the error's code */
  codedError: 13,
  /** message, name, then key, whether enumerable, part … */
  domException: 14,
} as const;

type Part = readonly [code: number, ...rest: unknown[]];

/**
 * The table of a value; msgpackr carries it exactly.
 *
 * @throws SerializationError for what MessagePack cannot carry in this way either
 */
export function encodeTable(root: unknown): readonly unknown[] {
  refuseUncarried(root, "msgpack");
  const parts: unknown[] = [];
  const places = new Map<object, number>();
  const waiting: object[] = [];

  const placeOf = (value: unknown): number => {
    if (typeof value !== "object" || value === null) return parts.push(encodePrimitive(value)) - 1;
    const known = places.get(value);
    if (known !== undefined) return known;
    const place = parts.push(undefined) - 1;
    places.set(value, place);
    waiting.push(value);
    return place;
  };

  placeOf(root);
  for (const value of waiting) parts[places.get(value) ?? 0] = encodeObject(value, placeOf);
  return parts;
}

function encodePrimitive(value: unknown): unknown {
  if (Object.is(value, -0)) return [code.negativeZero];
  if (typeof value === "string") return isWellFormed(value) ? value : [code.text, utf16(value)];
  if (typeof value === "bigint") return [code.bigint, value.toString(16)];
  return value;
}

function encodeObject(value: object, placeOf: (value: unknown) => number): Part | object {
  if (Array.isArray(value)) return encodeArray(value, placeOf);
  if (types.isMap(value)) return [code.map, ...[...value].flat().map(placeOf)];
  if (types.isSet(value)) return [code.set, ...[...value].map(placeOf)];
  if (types.isRegExp(value)) return [code.regExp, encodeText(value.source), value.flags, value.lastIndex];
  if (isDOMException(value)) return encodeDOMException(value, placeOf);
  if (isError(value)) return encodeError(value, placeOf);
  if (types.isArrayBuffer(value)) return [code.arrayBuffer, new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return encodeView(value);
  // msgpackr writes dates, but not those of another realm.
  if (types.isDate(value)) return homeDate(value);
  const start = Object.getPrototypeOf(value) === null ? code.objectWithoutPrototype : code.object;
  return [start, ...encodeProperties(value, placeOf)];
}

function homeDate(date: Date): Date {
  return date instanceof Date ? date : new Date(Date.prototype.getTime.call(date));
}

function encodeArray(array: readonly unknown[], placeOf: (value: unknown) => number): Part {
  return kindOf(array) === "an array"
    ? [code.array, ...array.map(placeOf)]
    : [code.sparseArray, array.length, ...encodeProperties(array, placeOf)];
}

function encodeProperties(object: object, placeOf: (value: unknown) => number): unknown[] {
  const properties: unknown[] = [];
  for (const key of Object.keys(object)) properties.push(encodeText(key), placeOf(Reflect.get(object, key)));
  return properties;
}

function encodeError(error: Error, placeOf: (value: unknown) => number): Part {
  const standard = standardClassOf(error);
  const start = standard?.byNode === "coded" ? code.codedError : code.error;
  return [start, standard?.name, ...encodeErrorProperties(error, placeOf)];
}

function encodeDOMException(error: DOMException, placeOf: (value: unknown) => number): Part {
  const { message, name } = error;
  return [code.domException, encodeText(message), encodeText(name), ...encodeErrorProperties(error, placeOf)];
}

function encodeErrorProperties(error: Error, placeOf: (value: unknown) => number): unknown[] {
  return Object.getOwnPropertyNames(error).flatMap((key) => [
    encodeText(key),
    Object.prototype.propertyIsEnumerable.call(error, key),
    placeOf(Reflect.get(error, key)),
  ]);
}

/** Buffers and plain arrays of bytes are msgpackr's own. */
function encodeView(view: ArrayBufferView): Part | ArrayBufferView {
  const prototype = homePrototypeOf(view);
  if (prototype === Buffer.prototype) return view;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (prototype === Uint8Array.prototype) return bytes;
  return [code.view, viewClasses.findIndex((each) => each.prototype === prototype), bytes];
}

function encodeText(text: string): string | Uint8Array {
  return isWellFormed(text) ? text : utf16(text);
}

function utf16(text: string): Uint8Array {
  return Buffer.from(text, "utf16le");
}

/**
 * The value that a table was made of.
 *
 * @throws Error for what is no table
 */
export function decodeTable(table: unknown): unknown {
  if (!Array.isArray(table)) throw new TypeError("The table of a value is not an array.");
  const parts: readonly unknown[] = table;
  // First every part on its own, then what they contain: by then whatever they name is there.
  const values = parts.map((part) => (Array.isArray(part) ? emptyOf(part) : part));
  const valueAt = (place: unknown): unknown => {
    if (typeof place !== "number" || !(place < values.length))
      throw new RangeError("A part of the table is missing.");
    return values[place];
  };
  parts.forEach((part, place) => {
    if (Array.isArray(part)) fill(values[place], part, valueAt);
  });
  return values[0];
}

function emptyOf(part: readonly unknown[]): unknown {
  const [start, first, second, third] = part;
  switch (start) {
    case code.object:
      return {};
    case code.objectWithoutPrototype:
      return Object.create(null);
    case code.array:
      return [];
    case code.sparseArray:
      return sparseArray(Number(first), part.length);
    case code.map:
      return new Map();
    case code.set:
      return new Set();
    case code.regExp:
      return Object.assign(new RegExp(decodeText(first), String(second)), { lastIndex: third });
    case code.error:
      return emptyError(String(first), undefined);
    case code.codedError:
      return emptyError(String(first), "coded" satisfies NodeErrorForm);
    case code.domException:
      return emptyDOMException(decodeText(first), decodeText(second));
    case code.arrayBuffer:
      return bufferOf(first);
    case code.view:
      return viewOf(Number(first), bufferOf(second));
    case code.text:
      return decodeText(first);
    case code.negativeZero:
      return -0;
    case code.bigint:
      return decodeBigint(String(first));
    default:
      throw new RangeError(`A part of the table starts with ${String(start)}.`);
  }
}

function fill(value: unknown, part: readonly unknown[], valueAt: (place: unknown) => unknown): void {
  switch (part[0]) {
    case code.object:
    case code.objectWithoutPrototype:
      fillProperties(value, part, 1, valueAt);
      break;
    case code.sparseArray:
      fillProperties(value, part, 2, valueAt);
      break;
    case code.array:
      if (Array.isArray(value)) for (let i = 1; i < part.length; i++) value.push(valueAt(part[i]));
      break;
    case code.map:
      if (value instanceof Map)
        for (let i = 1; i < part.length; i += 2) value.set(valueAt(part[i]), valueAt(part[i + 1]));
      break;
    case code.set:
      if (value instanceof Set) for (let i = 1; i < part.length; i++) value.add(valueAt(part[i]));
      break;
    case code.error:
    case code.codedError:
      fillError(value, part, 2, valueAt);
      break;
    case code.domException:
      fillError(value, part, 3, valueAt);
      break;
  }
}

function fillProperties(
  value: unknown,
  part: readonly unknown[],
  from: number,
  valueAt: (place: unknown) => unknown,
): void {
  for (let i = from; i < part.length; i += 2) define(value, part[i], true, valueAt(part[i + 1]));
}

/** Defined, not assigned: a key may be `__proto__`. */
function define(object: unknown, key: unknown, enumerable: boolean, value: unknown): void {
  if (typeof object !== "object" || object === null) return;
  Object.defineProperty(object, decodeText(key), { value, enumerable, writable: true, configurable: true });
}

function fillError(
  value: unknown,
  part: readonly unknown[],
  from: number,
  valueAt: (place: unknown) => unknown,
): void {
  for (let i = from; i < part.length; i += 3)
    define(value, part[i], part[i + 1] === true, valueAt(part[i + 2]));
}

function emptyDOMException(message: string, name: string): DOMException {
  const error = new DOMException(message, name);
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
  return error;
}

/**
 * An array of holes. V8 makes room for as many elements as `new Array` is asked for, up to some thirty million, and a few bytes
 * can ask for that; an array whose only element is far away is a table of its elements.
 */
function sparseArray(length: number, names: number): unknown[] {
  if (length <= 1_024 + names) return new Array(length);
  const array: unknown[] = [];
  array[length - 1] = undefined;
  delete array[length - 1];
  if (array.length !== length) throw new RangeError(`An array cannot be ${length} long.`);
  return array;
}

function bufferOf(bytes: unknown): ArrayBuffer {
  if (!(bytes instanceof Uint8Array)) throw new TypeError("A part of the table lacks its bytes.");
  return Uint8Array.from(bytes).buffer;
}

function viewOf(viewClass: number, buffer: ArrayBuffer): ArrayBufferView {
  const made = viewClasses[viewClass];
  if (made === undefined) throw new RangeError(`No class of views has the number ${viewClass}.`);
  return new made(buffer);
}

function decodeText(text: unknown): string {
  if (typeof text === "string") return text;
  if (text instanceof Uint8Array) return Buffer.from(text).toString("utf16le");
  throw new TypeError("A part of the table lacks its text.");
}

function decodeBigint(digits: string): bigint {
  return digits.startsWith("-") ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
}
