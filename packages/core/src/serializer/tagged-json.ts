import type { Typed, ValueTypes } from "./value-type.js";

/*
 * How JSON holds values of users' types: the text begins with a mark that no JSON begins with, and an object with the names
 * "@type" and "@value" stands for a value. A plain object that has the name "@type" is put into such an object, with the type "".
 */

/** Begins the text of a value that holds values of users' types. Who knows no types cannot read it, so that it is a miss. */
export const taggedMark = "~";

const typeName = "@type";
const valueName = "@value";

/** The value as JSON's own. It is no more than 1,000 levels deep, or would have been refused. */
export function tagged(root: unknown, typed: ReadonlyMap<unknown, Typed>): unknown {
  // An object that is met twice stays one, or few objects would become very many.
  const known = new Map<object, unknown>();
  const plain = (value: unknown): unknown => {
    const own = typed.get(value);
    if (own === undefined && (typeof value !== "object" || value === null)) return value;
    const key = value as object; // Or a primitive of a user's type, which a map takes as well.
    if (!known.has(key)) {
      known.set(key, own === undefined ? inner(key) : { [typeName]: own.tag, [valueName]: plain(own.data) });
    }
    return known.get(key);
  };
  const inner = (object: object): unknown => {
    if (Array.isArray(object)) return object.map(plain);
    const copy = Object.fromEntries(Object.entries(object).map(([name, value]) => [name, plain(value)]));
    return Object.hasOwn(copy, typeName) ? { [typeName]: "", [valueName]: copy } : copy;
  };
  return plain(root);
}

/** @throws RangeError for an unknown type, or data that is nested too deep */
export function untagged(value: unknown, types: ValueTypes): unknown {
  if (Array.isArray(value)) return value.map((each) => untagged(each, types));
  if (typeof value !== "object" || value === null) return value;
  if (!Object.hasOwn(value, typeName)) return untaggedRecord(value, types);
  const { [typeName]: tag, [valueName]: data } = value as Readonly<Record<string, unknown>>;
  if (tag !== "") return types.decode(tag, untagged(data, types));
  if (typeof data !== "object" || data === null) throw new TypeError("An escaped object is missing.");
  return untaggedRecord(data, types);
}

function untaggedRecord(object: object, types: ValueTypes): unknown {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, untagged(value, types)]));
}
