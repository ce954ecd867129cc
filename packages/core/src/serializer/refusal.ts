import { types } from "node:util";
import { reasonOf, SerializationError } from "../errors.js";
import { isError } from "./error-classes.js";
import { carriersOf, isIndex, type Kind, kindOf, type SerializerName } from "./kind.js";
import type { Typed, ValueTypes } from "./value-type.js";

/** The deepest nesting that the recursive serializers accept. */
export const deepest = 1_000;

/** An object, or a value of a user's type, on the path from the root to the current place. */
interface Step {
  readonly value: unknown;
  readonly children: readonly unknown[];
  /** The data that a user's type made of the value: its only child. */
  readonly typed: Typed | undefined;
  /** The index of the next child to search. */
  next: number;
}

/**
 * The holder of values: a serializer, or `memory({ values: "cloned" })`, which copies all that any
 * serializer carries.
 */
export type Carrier = SerializerName | "cloned";

/**
 * Throws if the serializer cannot carry the value or a part of it. The error names the path to the
 * first such part. Searches each object once and does not recurse. Fast serializers have quicker
 * checks of their own. They only come here for the message, or for values of users' types.
 *
 * @returns the data that the types made of values; the contents of a value come before the value
 * @throws SerializationError
 */
export function refuseUncarried(
  root: unknown,
  carrier: Carrier,
  types?: ValueTypes,
): ReadonlyMap<unknown, Typed> {
  const way: Step[] = [];
  const inside = new Set<unknown>();
  const done = new Set<unknown>();
  const found = new Map<unknown, Typed>();

  const assertCarried = (value: unknown, kind: Kind): void => {
    if (!isCarried(kind, carrier)) throw refusal(pathOf(way), value, kind, carrier);
  };

  const typedOf = (value: unknown, kind: Kind): Typed | undefined => {
    if (isCarried(kind, carrier)) return undefined;
    const typed = types?.encode(value, () => pathOf(way));
    if (typed === undefined) throw refusal(pathOf(way), value, kind, carrier);
    // An `encode` that returns new values of its type again and again would never end.
    if (way.length > deepest) throw endless(pathOf(way).slice(0, 100), typed);
    return typed;
  };

  const meetAgain = (value: unknown): void => {
    assertCarried(value, "a value that contains itself");
    const from = way.findIndex((step) => step.value === value);
    const typed = way.slice(from).find((step) => step.typed !== undefined)?.typed;
    if (typed !== undefined) throw containsItself(pathOf(way), typed);
  };

  const visit = (value: unknown): void => {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return;
    if (typeof value === "number" && Number.isFinite(value)) return;
    if (done.has(value)) return;
    if (inside.has(value)) {
      meetAgain(value);
      return;
    }
    // Only checks values that are met for the first time, because this reads all names of an
    // object.
    const typed = typedOf(value, kindOf(value));
    if (typed === undefined && typeof value !== "object") return;
    if (way.length > deepest) assertCarried(value, "nested more than 1,000 levels deep");
    inside.add(value);
    const children = typed === undefined ? childrenOf(value as object) : [typed.data];
    way.push({ value, children, typed, next: 0 });
  };

  visit(root);
  for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
    if (step.next < step.children.length) {
      visit(step.children[step.next++]);
    } else {
      way.pop();
      inside.delete(step.value);
      done.add(step.value);
      if (step.typed !== undefined) found.set(step.value, step.typed);
    }
  }
  return found;
}

function isCarried(kind: Kind, carrier: Carrier): boolean {
  const carriers = carriersOf(kind);
  return carrier === "cloned" ? carriers.length > 0 : carriers.includes(carrier);
}

function endless(path: string, { tag }: Typed): SerializationError {
  return new SerializationError(
    `The value at ${path}… is more than 1,000 levels deep, and the type ${JSON.stringify(tag)} makes it deeper. ` +
      "Let its encode return plain data.",
    path,
  );
}

function containsItself(path: string, { tag }: Typed): SerializationError {
  return new SerializationError(
    `The value at ${path} contains itself through the data of the type ${JSON.stringify(tag)}. ` +
      "Let its encode return data that does not lead back.",
    path,
  );
}

/**
 * Returns the error for a failure of a value whose parts can all be carried, such as too long JSON.
 */
export function failure(serializer: SerializerName, error: unknown): SerializationError {
  const reason = reasonOf(error);
  return new SerializationError(`${serializer}() could not write the value: ${reason}`, "$", {
    cause: error,
  });
}

function childrenOf(object: object): readonly unknown[] {
  if (types.isMap(object)) return [...object].flat();
  if (types.isSet(object)) return [...object];
  if (ArrayBuffer.isView(object) || types.isStringObject(object)) return [];
  if (isError(object)) return Object.getOwnPropertyNames(object).map((name) => Reflect.get(object, name));
  // Also for arrays: an array of three elements can have a length of four thousand million.
  return Object.values(object);
}

function pathOf(way: readonly Step[]): string {
  // Each step has already moved on to the child after the one on the path.
  return `$${way
    .map(({ value, typed, next }) =>
      typed === undefined ? segmentOf(value as object, next - 1) : ".encode()",
    )
    .join("")}`;
}

/**
 * Returns the path segment from an object to one of its children, in the order of
 * {@link childrenOf}.
 */
function segmentOf(object: object, child: number): string {
  if (types.isMap(object)) {
    const entry = Math.floor(child / 2);
    const key: unknown = [...object.keys()][entry];
    if (child % 2 === 0) return `.keys()[${entry}]`;
    return typeof key === "string" ? `.get(${JSON.stringify(key)})` : `.values()[${entry}]`;
  }
  if (types.isSet(object)) return `.values()[${child}]`;
  const name = (isError(object) ? Object.getOwnPropertyNames(object) : Object.keys(object))[child] ?? "";
  if (Array.isArray(object) && isIndex(name)) return `[${name}]`;
  return identifier.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

const identifier = /^[\p{ID_Start}_$][\p{ID_Continue}$]*$/u;

/** Returns the error for a value of a kind that the serializer does not carry. */
export function refusal(path: string, value: unknown, kind: Kind, carrier: Carrier): SerializationError {
  const what = `The value at ${path} is ${describe(value, kind)}, which`;
  const types = "or give its class to the option `types`.";
  if (carrier === "cloned") {
    const message = `${what} memory({ values: "cloned" }) cannot copy. Return plain data from load, ${types}`;
    return new SerializationError(message, path);
  }
  const others = carriersOf(kind);
  const advice =
    others.length > 0
      ? `${others.map((other) => `${other}()`).join(" and ")} can: use one as the node's serializer, or return something else from load.`
      : `No other serializer can. Return plain data from load, and make the rest from it after the read, ${types}`;
  return new SerializationError(`${what} ${carrier}() cannot carry. ${advice}`, path);
}

function describe(value: unknown, kind: Kind): string {
  switch (kind) {
    case "undefined inside a value":
      return "undefined";
    case "NaN or an infinity":
      return String(value);
    case "a function":
      return typeof value === "function" && value.name !== "" ? `the function ${value.name}` : kind;
    case "a Map or a Set":
      return types.isMap(value) ? "a Map" : "a Set";
    case "an instance of a class":
    case "a typed array, a DataView or a Buffer":
    case "an Error of a standard class":
    case "an Error with properties of its own":
      return describeByClass(value, kind);
    default:
      return kind;
  }
}

function describeByClass(value: unknown, kind: Kind): string {
  const made = typeof value === "object" && value !== null ? Reflect.get(value, "constructor") : undefined;
  const name = typeof made === "function" && made.name !== "" ? made.name : undefined;
  if (name === undefined) return kind;
  const article = /^[AEIOU]/i.test(name) ? "an" : "a";
  if (kind === "an instance of a class") return `an instance of ${name}`;
  return kind === "an Error with properties of its own"
    ? `${article} ${name} with properties of its own`
    : `${article} ${name}`;
}
