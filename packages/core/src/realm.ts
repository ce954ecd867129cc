/** The prototypes of this realm's built-in classes, by the names of the classes. */
const built: ReadonlyMap<string, object> = new Map(
  [
    ...[Object, Array, Date, RegExp, Map, Set, ArrayBuffer, SharedArrayBuffer, DataView],
    ...[Number, String, Boolean, BigInt],
    ...[Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError],
    ...[Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array],
    ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array],
  ].map((builtIn) => [builtIn.name, builtIn.prototype]),
);

const known = new WeakMap<object, object>();

/**
 * Returns this realm's prototype for a built-in prototype of another realm, and every other
 * prototype unchanged.
 *
 * `node:vm` makes realms. Some test runners use one for each test file. `fetch().json()` and
 * `structuredClone` then return objects whose prototype is not `Object.prototype`.
 */
export function inThisRealm(prototype: object): object {
  let found = known.get(prototype);
  if (found === undefined) {
    found = findInThisRealm(prototype);
    known.set(prototype, found);
  }
  return found;
}

function findInThisRealm(prototype: object): object {
  const made: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  if (typeof made !== "function") return prototype;
  const name: unknown = Object.getOwnPropertyDescriptor(made, "name")?.value;
  // User code cannot imitate this: only a function of the engine has this text and a `prototype`.
  const isBuiltIn =
    Object.getOwnPropertyDescriptor(made, "prototype")?.value === prototype &&
    Function.prototype.toString.call(made) === `function ${String(name)}() { [native code] }`;
  return (isBuiltIn ? built.get(String(name)) : undefined) ?? prototype;
}
