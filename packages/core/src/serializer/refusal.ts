import { types } from "node:util";
import { reasonOf, SerializationError } from "../errors.js";
import { isError } from "./error-classes.js";
import { carriersOf, isIndex, type Kind, kindOf, type SerializerName } from "./kind.js";
import type { Typed, ValueTypes } from "./value-type.js";

/** How deep a value may be nested for the serializers that call themselves at each level. */
export const deepest = 1_000;

/** One object, or value of a user's type, on the way from the root to where the search stands. */
interface Step {
  readonly value: unknown;
  readonly children: readonly unknown[];
  /** What a user's type made of the value: its only child. */
  readonly typed: Typed | undefined;
  /** The child to be looked at next. */
  next: number;
}

/** What holds values: a serializer, or `memory({ values: "cloned" })`, which copies whatever some serializer carries. */
export type Carrier = SerializerName | "cloned";

/**
 * Throws if the serializer cannot carry the value or something in it, with the way to the first such thing. Looks at every
 * object once, and calls itself at no depth. The serializers that must be fast have quicker checks of their own, and come here
 * only to find the words, or what is of a user's types.
 *
 * @returns what the types made of values, in an order in which all that one holds comes before it
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
    // An `encode` that answers with ever new values of its type would never end.
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
    // Only of what is met for the first time: this looks at all names of an object.
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
    `The value at ${path} contains itself through what the type ${JSON.stringify(tag)} made of a value. ` +
      "Let its encode return data that does not lead back.",
    path,
  );
}

/** For what goes wrong although every part can be carried, such as a text longer than a string can be. */
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
  // Also of arrays: one of three elements can be four thousand million long.
  return Object.values(object);
}

function pathOf(way: readonly Step[]): string {
  // Each step has already moved on to the child after the one that leads on.
  return `$${way
    .map(({ value, typed, next }) =>
      typed === undefined ? segmentOf(value as object, next - 1) : ".encode()",
    )
    .join("")}`;
}

/** How the path goes from an object to one of its children, in the order of {@link childrenOf}. */
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

/** The error for a value of a kind that the serializer does not carry. */
export function refusal(path: string, value: unknown, kind: Kind, carrier: Carrier): SerializationError {
  const what = `The value at ${path} is ${describe(value, kind)}, which`;
  const types = "or give its class to the option `types`.";
  if (carrier === "cloned") {
    const message = `${what} memory({ values: "cloned" }) cannot copy; return plain data from load, ${types}`;
    return new SerializationError(message, path);
  }
  const others = carriersOf(kind);
  const advice =
    others.length > 0
      ? `${others.map((other) => `${other}()`).join(" and ")} can: name it as the node's serializer, or return something else from load.`
      : `nor can any other serializer: return plain data from load, and make the rest of it where it is used, ${types}`;
  return new SerializationError(`${what} ${carrier}() cannot carry; ${advice}`, path);
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
