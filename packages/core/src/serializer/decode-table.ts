import { types as is } from "node:util";
import { emptyError } from "./error-classes.js";
import { code } from "./value-table.js";
import type { ValueTypes } from "./value-type.js";
import { viewClasses } from "./view-classes.js";

/**
 * Returns the value that a table was made of.
 *
 * @throws Error if the argument is not a table
 */
export function decodeTable(table: unknown, types?: ValueTypes): unknown {
  if (!Array.isArray(table)) throw new TypeError("The table of a value is not an array.");
  const parts: readonly unknown[] = table;
  // First makes each part on its own, then fills in the contents, so that every named part exists.
  const values = parts.map((part) => (Array.isArray(part) ? emptyOf(part) : part));
  const valueAt = (place: unknown): unknown => {
    if (typeof place !== "number" || !(place < values.length))
      throw new RangeError("A part of the table is missing.");
    const value = values[place];
    if (value === pending) throw new RangeError("A typed part of the table is needed before its turn.");
    return value;
  };
  const filled = decodeTyped(parts, values, valueAt, types);
  parts.forEach((part, place) => {
    if (Array.isArray(part) && !filled.has(place)) fill(values[place], part, valueAt);
  });
  return values[0];
}

/** Marks the place of a value of a user's type until it is decoded. */
const pending = Symbol("pending");

/**
 * Decodes the values of users' types. A value is decoded when everything that its data refers to is
 * decoded.
 *
 * @returns the places that are filled
 */
function decodeTyped(
  parts: readonly unknown[],
  values: unknown[],
  valueAt: (place: unknown) => unknown,
  types: ValueTypes | undefined,
): ReadonlySet<unknown> {
  const filled = new Set<unknown>();
  if (!values.includes(pending)) return filled;
  if (types === undefined) throw new RangeError("The serializer has no types, and the value has.");
  const fillFrom = (start: unknown) => {
    const waiting = [start];
    for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
      const part = parts[Number(place)];
      if (!Array.isArray(part) || part[0] === code.typed || filled.has(place)) continue;
      filled.add(place);
      fill(valueAt(place), part, (next) => {
        waiting.push(next);
        return valueAt(next);
      });
    }
  };
  const typed = parts
    .map((part, place) => ({ part, place }))
    .filter(({ place }) => values[place] === pending) as { part: readonly unknown[]; place: number }[];
  for (const { part, place } of typed.sort((a, b) => Number(a.part[3]) - Number(b.part[3]))) {
    fillFrom(part[2]);
    values[place] = types.decode(decodeText(part[1]), valueAt(part[2]));
  }
  return filled;
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
      return emptyError(String(first), "coded");
    case code.domException:
      return emptyDOMException(decodeText(first), decodeText(second));
    case code.arrayBuffer:
      return bufferOf(first);
    case code.view:
      return viewOf(Number(first), bufferOf(second));
    case code.text:
      return decodeText(first);
    case code.typed:
      return pending;
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
      if (is.isMap(value))
        for (let i = 1; i < part.length; i += 2) value.set(valueAt(part[i]), valueAt(part[i + 1]));
      break;
    case code.set:
      if (is.isSet(value)) for (let i = 1; i < part.length; i++) value.add(valueAt(part[i]));
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

/** Defines instead of assigning, because a key may be `__proto__`. */
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
 * Returns an array of holes. `new Array` makes V8 allocate that many elements, up to some thirty
 * million, and a few bytes can ask for that. If an array's only element is far away, V8 uses a
 * table of its elements.
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
  if (!is.isUint8Array(bytes)) throw new TypeError("A part of the table lacks its bytes.");
  return Uint8Array.from(bytes).buffer;
}

function viewOf(viewClass: number, buffer: ArrayBuffer): ArrayBufferView {
  const made = viewClasses[viewClass];
  if (made === undefined) throw new RangeError(`No class of views has the number ${viewClass}.`);
  return new made(buffer);
}

function decodeText(text: unknown): string {
  if (typeof text === "string") return text;
  if (is.isUint8Array(text)) return Buffer.from(text).toString("utf16le");
  throw new TypeError("A part of the table lacks its string.");
}

function decodeBigint(digits: string): bigint {
  return digits.startsWith("-") ? -BigInt(`0x${digits.slice(1)}`) : BigInt(`0x${digits}`);
}
