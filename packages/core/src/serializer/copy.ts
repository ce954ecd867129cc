import { types as is } from "node:util";
import { emptyError, isDOMException, isError, standardClassOf } from "./error-classes.js";
import { homePrototypeOf } from "./kind.js";
import { viewClasses } from "./view-classes.js";

/** The copy of each object that was met. An object that is met twice is copied once. */
export type Copies = Map<unknown, unknown>;

/**
 * Copies a value that was found to be carried. The copies share no objects, are of this realm's
 * classes, and have the same properties. Does not recurse.
 *
 * @param copies the copies that exist already; adds the new ones
 */
export function copyValue(root: unknown, copies: Copies): unknown {
  const waiting: object[] = [];
  const copyOf = (value: unknown): unknown => {
    const known = copies.get(value);
    if (known !== undefined || typeof value !== "object" || value === null) return known ?? value;
    const copy = emptyCopy(value);
    copies.set(value, copy);
    waiting.push(value);
    return copy;
  };
  const copy = copyOf(root);
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    fillCopy(copies.get(value), value, copyOf);
  }
  return copy;
}

function emptyCopy(value: object): object {
  if (Array.isArray(value)) return new Array(value.length);
  const prototype = homePrototypeOf(value);
  if (prototype === Object.prototype) return {};
  if (prototype === null) return Object.create(null);
  if (is.isMap(value)) return new Map();
  if (is.isSet(value)) return new Set();
  if (is.isDate(value)) return new Date(Date.prototype.getTime.call(value));
  if (is.isRegExp(value)) return new RegExp(value.source, value.flags);
  if (is.isBoxedPrimitive(value)) return Object(value.valueOf());
  if (is.isArrayBuffer(value)) return Uint8Array.from(new Uint8Array(value)).buffer;
  if (ArrayBuffer.isView(value)) return copyOfView(value, prototype);
  if (isDOMException(value)) return withoutProperties(new DOMException(value.message, value.name));
  if (isError(value)) return copyOfError(value);
  throw new TypeError("The value is of a class that is not copied.");
}

function copyOfView(view: ArrayBufferView, prototype: unknown): ArrayBufferView {
  const bytes = Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  if (prototype === Buffer.prototype) return Buffer.from(bytes.buffer);
  const made = viewClasses.find((viewClass) => viewClass.prototype === prototype);
  if (made === undefined) throw new TypeError("The view is of a class that is not copied.");
  return new made(bytes.buffer);
}

function copyOfError(error: Error): Error {
  const standard = standardClassOf(error);
  if (standard === undefined) throw new TypeError("The error is of a class that is not copied.");
  return emptyError(standard.name, standard.byNode);
}

function withoutProperties(error: DOMException): DOMException {
  for (const key of Reflect.ownKeys(error)) Reflect.deleteProperty(error, key);
  return error;
}

function fillCopy(copy: unknown, value: object, copyOf: (value: unknown) => unknown): void {
  if (typeof copy !== "object" || copy === null || ArrayBuffer.isView(value) || is.isBoxedPrimitive(value)) {
    return;
  }
  if (is.isMap(value) && is.isMap(copy)) {
    for (const [key, each] of value) copy.set(copyOf(key), copyOf(each));
  } else if (is.isSet(value) && is.isSet(copy)) {
    for (const each of value) copy.add(copyOf(each));
  } else if (isError(value)) {
    for (const key of Object.getOwnPropertyNames(value)) {
      const enumerable = Object.prototype.propertyIsEnumerable.call(value, key);
      define(copy, key, copyOf(Reflect.get(value, key)), enumerable);
    }
  } else if (is.isRegExp(copy) && is.isRegExp(value)) {
    copy.lastIndex = value.lastIndex;
  } else {
    for (const key of Object.keys(value)) {
      const each = copyOf(Reflect.get(value, key));
      if (key === "__proto__") define(copy, key, each, true);
      else Reflect.set(copy, key, each);
    }
  }
}

function define(copy: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(copy, key, { value, enumerable, writable: true, configurable: true });
}
