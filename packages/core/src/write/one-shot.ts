import { types } from "node:util";
import { SerializationError } from "../errors.js";
import { nodeLabel } from "../node/key.js";

/** A value that can be read once, and the alternative to cache. */
interface OneShot {
  readonly what: string;
  readonly advice: string;
}

const body = (what: string): OneShot => ({
  what,
  advice: "Return its content, for example `return await response.json()`.",
});
const stream: OneShot = {
  what: "a stream",
  advice:
    "Read it to its end in the load, for example with `node:stream/consumers`, and return the string or the bytes.",
};
const iterator: OneShot = {
  what: "an iterator",
  advice: "Return its values, for example `return [...values]` or `return await cursor.toArray()`.",
};

/** The most properties of larger objects and lists that are checked. */
const mostProperties = 100;

/**
 * Refuses a value that only its first reader could use. This is a Response, a Request, a stream, an
 * iterator or a generator. The value may be one itself, or have one as a property.
 *
 * @throws SerializationError
 */
export function refuseOneShot(value: unknown, node: string, key: string): void {
  if (typeof value !== "object" || value === null) return;
  const found = oneShotIn(value);
  if (found === undefined) return;
  const { path, what, advice } = found;
  const where = path === "$" ? "" : ` at ${path}`;
  throw new SerializationError(
    `The value of ${nodeLabel(node, key)}${where} is ${what}, which can be read only once, so it cannot be cached. ${advice}`,
    path,
    { node, key },
  );
}

function oneShotIn(value: object): (OneShot & { readonly path: string }) | undefined {
  // Reading a proxy runs foreign code.
  if (types.isProxy(value)) return undefined;
  try {
    const itself = oneShotOf(value);
    if (itself !== undefined) return { path: "$", ...itself };
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== Array.prototype) return undefined;
    let seen = 0;
    for (const name in value) {
      if (++seen > mostProperties) break;
      const each: unknown = Reflect.get(value, name);
      const inner = typeof each === "object" && each !== null ? oneShotOf(each) : undefined;
      if (inner !== undefined) return { path: Array.isArray(value) ? `$[${name}]` : `$.${name}`, ...inner };
    }
  } catch {
    // An object that throws here is not a Response, a stream or an iterator.
  }
  return undefined;
}

function oneShotOf(value: object): OneShot | undefined {
  if (types.isProxy(value)) return undefined;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === Array.prototype || prototype === null) return undefined;
  const kind: unknown = Reflect.get(value, Symbol.toStringTag);
  if ((kind === "Response" || kind === "Request") && "bodyUsed" in value) return body(`a ${kind}`);
  if (isStream(value)) return stream;
  if (types.isGeneratorObject(value)) return { ...iterator, what: "a generator" };
  return isIterator(value) ? iterator : undefined;
}

/** Returns whether the object is a web stream or one of Node's, from any package. */
function isStream(value: object): boolean {
  return (
    (has(value, "pipe") && has(value, "on")) ||
    ("locked" in value && (has(value, "getReader") || has(value, "getWriter"))) ||
    Reflect.get(value, Symbol.toStringTag) === "TransformStream"
  );
}

function isIterator(value: object): boolean {
  return has(value, "next") && (has(value, Symbol.iterator) || has(value, Symbol.asyncIterator));
}

function has(value: object, method: string | symbol): boolean {
  return typeof Reflect.get(value, method) === "function";
}
