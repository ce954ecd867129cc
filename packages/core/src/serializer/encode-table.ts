import { types as is } from "node:util";
import { isCarried } from "./carried-text.js";
import { isDOMException, isError, standardClassOf } from "./error-classes.js";
import { homePrototypeOf, kindOf } from "./kind.js";
import { refuseUncarried } from "./refusal.js";
import { code, type Part } from "./value-table.js";
import type { ValueTypes } from "./value-type.js";
import { viewClasses } from "./view-classes.js";

/**
 * Returns the table of a value. msgpackr carries the table exactly.
 *
 * @throws SerializationError for a value that MessagePack cannot carry as a table either
 */
export function encodeTable(root: unknown, types?: ValueTypes): readonly unknown[] {
  const typed = refuseUncarried(root, "msgpack", types);
  const ranks = new Map([...typed.keys()].map((value, rank) => [value, rank]));
  const parts: unknown[] = [];
  const places = new Map<unknown, number>();
  const waiting: unknown[] = [];

  const placeOf = (value: unknown): number => {
    const isPrimitive = typeof value !== "object" || value === null;
    if (isPrimitive && !typed.has(value)) return parts.push(encodePrimitive(value)) - 1;
    const known = places.get(value);
    if (known !== undefined) return known;
    const place = parts.push(undefined) - 1;
    places.set(value, place);
    waiting.push(value);
    return place;
  };

  placeOf(root);
  for (const value of waiting) {
    const own = typed.get(value);
    parts[places.get(value) ?? 0] =
      own === undefined
        ? encodeObject(value as object, placeOf)
        : [code.typed, encodeText(own.tag), placeOf(own.data), ranks.get(value)];
  }
  return parts;
}

function encodePrimitive(value: unknown): unknown {
  if (Object.is(value, -0)) return [code.negativeZero];
  if (typeof value === "string") return isCarried(value) ? value : [code.text, utf16(value)];
  if (typeof value === "bigint") return [code.bigint, value.toString(16)];
  return value;
}

function encodeObject(value: object, placeOf: (value: unknown) => number): Part | object {
  if (Array.isArray(value)) return encodeArray(value, placeOf);
  if (is.isMap(value)) return [code.map, ...[...value].flat().map(placeOf)];
  if (is.isSet(value)) return [code.set, ...[...value].map(placeOf)];
  if (is.isRegExp(value)) return [code.regExp, encodeText(value.source), value.flags, value.lastIndex];
  if (isDOMException(value)) return encodeDOMException(value, placeOf);
  if (isError(value)) return encodeError(value, placeOf);
  if (is.isArrayBuffer(value)) return [code.arrayBuffer, new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return encodeView(value);
  // msgpackr writes dates, but not those of another realm.
  if (is.isDate(value)) return homeDate(value);
  const start = Object.getPrototypeOf(value) === null ? code.objectWithoutPrototype : code.object;
  return [start, ...encodeProperties(value, placeOf)];
}

function homeDate(date: Date): Date {
  // biome-ignore lint/plugin: asks which realm the date is of
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

/** msgpackr carries Buffers and plain arrays of bytes itself. */
function encodeView(view: ArrayBufferView): Part | ArrayBufferView {
  const prototype = homePrototypeOf(view);
  if (prototype === Buffer.prototype) return view;
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  if (prototype === Uint8Array.prototype) return bytes;
  return [code.view, viewClasses.findIndex((each) => each.prototype === prototype), bytes];
}

function encodeText(text: string): string | Uint8Array {
  return isCarried(text) ? text : utf16(text);
}

function utf16(text: string): Uint8Array {
  return Buffer.from(text, "utf16le");
}
