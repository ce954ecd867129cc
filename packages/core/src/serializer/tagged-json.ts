import type { Typed, ValueTypes } from "./value-type.js";

/*
 * JSON with values of users' types. It begins with a mark that no JSON begins with. An object with
 * the names "@type" and "@value" stands for such a value. A plain object that has the name "@type"
 * is put into such an object, with the type "".
 */

/**
 * The first character of JSON that holds values of users' types. A reader without types cannot
 * parse it, so the entry is a miss.
 */
export const taggedMark = "~";

const typeName = "@type";
const valueName = "@value";

/**
 * Returns the value as JSON's own. It is at most 1,000 levels deep; deeper values are refused
 * before.
 */
export function tagged(root: unknown, typed: ReadonlyMap<unknown, Typed>): unknown {
  // Keeps an object that is met twice as one, because few objects could otherwise become very many.
  const known = new Map<object, unknown>();
  const plain = (value: unknown): unknown => {
    const own = typed.get(value);
    if (own === undefined && (typeof value !== "object" || value === null)) return value;
    const key = value as object; // Or a primitive of a user's type, which a map also takes.
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
