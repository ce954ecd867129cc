import { types } from "node:util";
import { SerializationError } from "../errors.js";
import { isError } from "./error-classes.js";
import { carriersOf, isIndex, type Kind, kindOf, type SerializerName } from "./kind.js";

/** How deep a value may be nested for the serializers that call themselves at each level. */
export const deepest = 1_000;

/** One object on the way from the root to where the search stands. */
interface Step {
  readonly object: object;
  readonly children: readonly unknown[];
  /** The child to be looked at next. */
  next: number;
}

/**
 * Throws if the serializer cannot carry the value or something in it, with the way to the first such thing. Looks at every
 * object once, and calls itself at no depth. The serializers that must be fast have quicker checks of their own, and come here
 * only to find the words.
 *
 * @throws SerializationError
 */
export function refuseUncarried(root: unknown, serializer: SerializerName): void {
  const way: Step[] = [];
  const inside = new Set<object>();
  const done = new Set<object>();

  const assertCarried = (value: unknown, kind: Kind): void => {
    if (!carriersOf(kind).includes(serializer)) throw refusal(pathOf(way), value, kind, serializer);
  };

  const visit = (value: unknown): void => {
    if (typeof value === "string" || typeof value === "boolean" || value === null) return;
    if (typeof value === "number" && Number.isFinite(value)) return;
    if (typeof value === "object" && done.has(value)) return;
    if (typeof value === "object" && inside.has(value)) {
      assertCarried(value, "a value that contains itself");
      return;
    }
    // Only of what is met for the first time: this looks at all names of an object.
    assertCarried(value, kindOf(value));
    if (typeof value !== "object") return;
    if (way.length > deepest) assertCarried(value, "nested more than 1,000 levels deep");
    inside.add(value);
    way.push({ object: value, children: childrenOf(value), next: 0 });
  };

  visit(root);
  for (let step = way.at(-1); step !== undefined; step = way.at(-1)) {
    if (step.next < step.children.length) {
      visit(step.children[step.next++]);
    } else {
      way.pop();
      inside.delete(step.object);
      done.add(step.object);
    }
  }
}

/** For what goes wrong although every part can be carried, such as a text longer than a string can be. */
export function failure(serializer: SerializerName, error: unknown): SerializationError {
  const reason = error instanceof Error ? error.message : String(error);
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
  return `$${way.map(({ object, next }) => segmentOf(object, next - 1)).join("")}`;
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
export function refusal(
  path: string,
  value: unknown,
  kind: Kind,
  serializer: SerializerName,
): SerializationError {
  const others = carriersOf(kind);
  const advice =
    others.length > 0
      ? `${others.map((other) => `${other}()`).join(" and ")} can: name it as the node's serializer, or return something else from load.`
      : "nor can any other serializer: return plain data from load, and make the rest of it where it is used.";
  return new SerializationError(
    `The value at ${path} is ${describe(value, kind)}, which ${serializer}() cannot carry; ${advice}`,
    path,
  );
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
