import { types } from "node:util";
import { inThisRealm } from "../realm.js";

/**
 * The objects that were frozen deeply, and stay so. Several functions freeze a value one after
 * another, and each must know that it is frozen. Flat objects are not noted, because freezing one
 * again costs less than a note: the garbage collector looks at each.
 */
const frozenDeeply = new WeakSet<object>();

/**
 * Freezes plain objects and arrays, and those in them, and returns the value. Other objects (Dates,
 * Maps, bytes, instances of classes) and their contents stay unchanged. A frozen Map would still
 * have a working `set`. It also skips objects that cannot or must not be frozen. These are proxies
 * (MobX, Vue), module namespaces, and objects with a getter that throws. Libraries mark observed
 * objects by properties under symbols, so it skips objects with such properties, too. Never throws.
 *
 * A flat object is frozen in some tens of nanoseconds. The list is only made when an object holds
 * another one.
 */
export function deepFreeze<T>(value: T): T {
  if (!isFreezable(value) || frozenDeeply.has(value)) return value;
  const inner = freezeOne(value, undefined);
  if (inner === undefined) return value;
  freezeAll(value, inner);
  frozenDeeply.add(value);
  return value;
}

/**
 * Notes that a decoder has frozen the value deeply, so that {@link deepFreeze} need not look into
 * it. A flat value is not noted.
 */
export function noteFrozen(value: unknown): void {
  if (typeof value === "object" && value !== null && !isFlat(value)) frozenDeeply.add(value);
}

function isFlat(object: object): boolean {
  if (Array.isArray(object)) return !object.some(isObject);
  for (const key in object) if (isObject((object as Readonly<Record<string, unknown>>)[key])) return false;
  return true;
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null;
}

/**
 * Freezes by a list, not by recursion, because a long chain of objects would overflow the stack.
 */
function freezeAll(root: object, waiting: object[]): void {
  // An object that the user froze may hold one that is not frozen. So being frozen does not mean
  // that it was seen.
  const seen = new Set([root]);
  for (let object = waiting.pop(); object !== undefined; object = waiting.pop()) {
    if (seen.has(object)) continue;
    seen.add(object);
    freezeOne(object, waiting);
  }
}

/**
 * Freezes the object and adds the objects directly in it to the list. Makes the list with the first
 * of them.
 */
function freezeOne(object: object, waiting: object[] | undefined): object[] | undefined {
  let inner = waiting;
  try {
    inner = addChildren(object, waiting);
    Object.freeze(object);
  } catch {
    // A getter threw, or the object is of a kind that cannot be frozen: it stays unfrozen.
  }
  return inner;
}

function addChildren(object: object, waiting: object[] | undefined): object[] | undefined {
  let inner = waiting;
  if (Array.isArray(object)) {
    const { length } = object;
    for (let i = 0; i < length; i++) inner = add(object[i], inner);
  } else {
    for (const key in object) inner = add((object as Readonly<Record<string, unknown>>)[key], inner);
  }
  return inner;
}

function add(child: unknown, waiting: object[] | undefined): object[] | undefined {
  if (!isFreezable(child)) return waiting;
  if (waiting === undefined) return [child];
  waiting.push(child);
  return waiting;
}

function isFreezable(value: unknown): value is object {
  // Checks for a proxy first, because reading a proxy's prototype runs foreign code.
  if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null) return !types.isModuleNamespaceObject(value) && !isMarked(value);
  const isPlain = prototype === Object.prototype || prototype === Array.prototype;
  return (isPlain || isPlainElsewhere(prototype)) && !isMarked(value);
}

function isPlainElsewhere(prototype: object): boolean {
  const home = inThisRealm(prototype);
  return home === Object.prototype || home === Array.prototype;
}

function isMarked(value: object): boolean {
  return Object.getOwnPropertySymbols(value).length > 0;
}
