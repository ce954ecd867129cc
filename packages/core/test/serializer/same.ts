import { expect } from "vitest";

/**
 * Fails unless both are the same, even in aspects that equality usually ignores. These are -0,
 * prototypes, holes, properties of arrays, the order of keys, and whether a property is enumerable.
 * Objects that contain themselves are compared along the same paths.
 */
export function expectSame(actual: unknown, expected: unknown): void {
  const met = new Map<object, object>();
  const waiting: [actual: unknown, expected: unknown, path: string][] = [[actual, expected, "$"]];
  for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
    const [left, right, path] = pair;
    if (typeof left !== "object" || left === null || typeof right !== "object" || right === null) {
      if (!Object.is(left, right)) expect.fail(`${path}: expected ${String(right)}, got ${String(left)}`);
      continue;
    }
    if (met.get(right) === left) continue;
    met.set(right, left);
    if (isLargeRecord(right)) {
      waiting.push(...differencesOf(left, right, path));
      continue;
    }
    for (const [segment, a, b] of aspects(left, right)) {
      if (!Object.is(a, b)) waiting.push([a, b, path + segment]);
    }
  }
}

/**
 * The number of names from which a string for each property would take longer than the serializer.
 */
const manyNames = 1_000;

function isLargeRecord(object: object): boolean {
  return Object.getPrototypeOf(object) === Object.prototype && Reflect.ownKeys(object).length >= manyNames;
}

/**
 * Compares the same aspects of a large plain object, without a string for each property that is
 * equal.
 */
function differencesOf(left: object, right: object, path: string): [unknown, unknown, string][] {
  const [names, expected] = [Reflect.ownKeys(left), Reflect.ownKeys(right)];
  const isAlike =
    Object.getPrototypeOf(left) === Object.prototype &&
    names.length === expected.length &&
    Object.keys(left).length === names.length &&
    expected.every((name, place) => name === names[place]);
  if (!isAlike) return [[`${names.length} names`, `${expected.length} names, in their order`, path]];
  return expected
    .filter((name) => !Object.is(Reflect.get(left, name), Reflect.get(right, name)))
    .map((name) => [Reflect.get(left, name), Reflect.get(right, name), `${path}.${String(name)}`]);
}

function* aspects(left: object, right: object): Generator<[segment: string, left: unknown, right: unknown]> {
  if (Object.getPrototypeOf(left) !== Object.getPrototypeOf(right))
    yield ["'s prototype", "differs", "the same"];
  if (right instanceof Map && left instanceof Map) {
    yield* pairs([...left].flat(), [...right].flat());
  } else if (right instanceof Set && left instanceof Set) {
    yield* pairs([...left], [...right]);
  } else if (ArrayBuffer.isView(right) && ArrayBuffer.isView(left)) {
    yield ["'s bytes", bytesOf(left), bytesOf(right)];
    return;
  } else if (right instanceof ArrayBuffer && left instanceof ArrayBuffer) {
    yield ["'s bytes", Buffer.from(left).toString("hex"), Buffer.from(right).toString("hex")];
  } else if (right instanceof RegExp) {
    yield ["", String(left), String(right)];
  } else if (
    right instanceof Date ||
    right instanceof Number ||
    right instanceof Boolean ||
    right instanceof BigInt ||
    right instanceof String
  ) {
    yield ["'s value", left.valueOf(), right.valueOf()];
  }
  yield ["'s keys", describeKeys(left), describeKeys(right)];
  for (const key of Reflect.ownKeys(right))
    yield [`.${String(key)}`, Reflect.get(left, key), Reflect.get(right, key)];
}

function* pairs(left: readonly unknown[], right: readonly unknown[]): Generator<[string, unknown, unknown]> {
  yield ["'s size", left.length, right.length];
  for (const [index, each] of right.entries()) yield [`(${index})`, left[index], each];
}

function describeKeys(object: object): string {
  return Reflect.ownKeys(object)
    .map(
      (key) => `${String(key)}${Object.prototype.propertyIsEnumerable.call(object, key) ? "" : " (hidden)"}`,
    )
    .join();
}

function bytesOf(view: ArrayBufferView): string {
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("hex");
}
